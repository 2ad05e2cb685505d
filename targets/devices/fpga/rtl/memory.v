// Memories of 64-bit words, read a clock after the address. Vendor cell: four SB_SPRAM256KA (SKINT_SPRAM), which read or write, not both;
// their twin is the code beside them, which is block RAM everywhere else.

module weights_memory #(parameter A = 14) (
  input              clk,
  input      [A-1:0] addr,
  input              we,
  input       [63:0] data,
  output      [63:0] q
);
`ifdef SKINT_SPRAM
  genvar i;
  generate
    for (i = 0; i < 4; i = i + 1) begin : bank
      SB_SPRAM256KA ram (
        .ADDRESS(addr), .DATAIN(data[16*i+:16]), .MASKWREN(4'b1111), .WREN(we), .CHIPSELECT(1'b1), .CLOCK(clk),
        .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(q[16*i+:16])
      );
    end
  endgenerate
`else
  block_memory #(.A(A)) ram (.clk(clk), .we(we), .w_addr(addr), .data(data), .r_addr(addr), .q(q));
`endif
endmodule

module block_memory #(parameter A = 8) (
  input              clk,
  input              we,
  input      [A-1:0] w_addr,
  input       [63:0] data,
  input      [A-1:0] r_addr,
  output reg  [63:0] q
);
  (* no_rw_check *) reg [63:0] mem [0:(1<<A)-1];   // nobody reads a word while it is written
  always @(posedge clk) begin
    if (we) mem[w_addr] <= data;
    q <= mem[r_addr];
  end
endmodule
