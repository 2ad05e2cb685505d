// The loader on a board: its crystal as clock, a reset at the beginning, the flash's pins, and the warm start of the image that it wrote. It needs no
// PLL: DIV makes the same baud rate of the crystal.
module loader_top #(
  parameter DIV = 12,
  parameter KHZ = 12000,
  parameter [31:0] START = 32'h28000,
  parameter [31:0] END = 32'h50000,
  parameter [63:0] BOARD = 64'd0,
  parameter [63:0] BUILD = 64'd0
) (
  input  crystal,
  input  rxd,
  output txd,
  output light,
  output flash_cs,
  output flash_sck,
  output flash_mosi,
  input  flash_miso
);
  // Memories give wrong words in the first microseconds after configuration; they are not asked before.
  reg [7:0] count = 0;
  reg       rst = 1;
  always @(posedge crystal) begin
    count <= count == 255 ? count : count + 1;
    rst <= count != 255;
  end
  wire busy, boot;
  loader #(.DIV(DIV), .KHZ(KHZ), .START(START), .END(END), .BOARD(BOARD), .BUILD(BUILD)) loader (
    .clk(crystal), .rst(rst), .rxd(rxd), .txd(txd), .busy(busy), .boot(boot), .cs_n(flash_cs), .sck(flash_sck), .mosi(flash_mosi), .miso(flash_miso)
  );
  // The second of the images that the header at the flash's beginning names.
  SB_WARMBOOT start (.BOOT(boot), .S0(1'b1), .S1(1'b0));
  assign light = !busy;
endmodule
