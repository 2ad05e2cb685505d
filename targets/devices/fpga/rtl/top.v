// A board: its crystal through a PLL, a reset until the PLL has settled, the core, and a light while it computes.
// The core is the linear engine's, or with SKINT_CODENET that of codenet/.
//   CRYSTAL · (DIVF + 1) / 2^DIVQ / (DIVR + 1) is the clock. SKINT_PAD: the crystal's pin is the PLL's own.
module top #(
  parameter [3:0] DIVR = 0,
  parameter [6:0] DIVF = 63,
  parameter [2:0] DIVQ = 5,
  parameter DIV = 8,
  parameter KHZ = 24000,
  parameter WA = 14,
`ifdef SKINT_CODENET
  parameter BA = 9,
  parameter LA = 6,
`else
  parameter XA = 9,
  parameter PA = 8,
`endif
  parameter [63:0] BOARD = 64'd0,
  parameter [63:0] BUILD = 64'd0
) (
  input  crystal,
  input  rxd,
  output txd,
  output light
);
  wire clk, locked, busy;
`ifdef SKINT_PAD
  SB_PLL40_PAD #(.FEEDBACK_PATH("SIMPLE"), .DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ), .FILTER_RANGE(3'd1)) pll (
    .PACKAGEPIN(crystal), .PLLOUTGLOBAL(clk), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0));
`else
  SB_PLL40_CORE #(.FEEDBACK_PATH("SIMPLE"), .DIVR(DIVR), .DIVF(DIVF), .DIVQ(DIVQ), .FILTER_RANGE(3'd1)) pll (
    .REFERENCECLK(crystal), .PLLOUTGLOBAL(clk), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0));
`endif
  // Memories give wrong words in the first microseconds after configuration; they are not asked before.
  reg [7:0] count = 0;
  reg       rst = 1;
  always @(posedge clk) begin
    count <= !locked ? 0 : count == 255 ? count : count + 1;
    rst <= count != 255;
  end
  core #(
    .DIV(DIV), .KHZ(KHZ), .WA(WA),
`ifdef SKINT_CODENET
    .BA(BA), .LA(LA),
`else
    .XA(XA), .PA(PA),
`endif
    .BOARD(BOARD), .BUILD(BUILD)
  ) core (.clk(clk), .rst(rst), .rxd(rxd), .txd(txd), .busy(busy));
  assign light = !busy;
endmodule
