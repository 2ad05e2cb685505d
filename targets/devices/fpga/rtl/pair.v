// Two multiplications a clock: lo = x_lo · the low four bits of w, hi = x_hi · the high four, which are signed. With `nibbles` the low four are
// signed too and are a weight of their own; without, they are the lower half of an int8 weight: w · x = 16 · hi + lo. Both come two clocks later.
// Vendor cell: one SB_MAC16 in its mode of two 8 × 8 multipliers (SKINT_MAC16); its twin is the code below it.
module pair (
  input                    clk,
  input                    nibbles,
  input              [7:0] w,
  input              [7:0] x_lo,
  input              [7:0] x_hi,
  output signed     [11:0] lo,
  output signed     [11:0] hi
);
`ifdef SKINT_MAC16
  wire [31:0] o;
  SB_MAC16 #(
    .NEG_TRIGGER(1'b0), .A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b0), .D_REG(1'b0),
    .TOP_8x8_MULT_REG(1'b1), .BOT_8x8_MULT_REG(1'b1), .PIPELINE_16x16_MULT_REG1(1'b0), .PIPELINE_16x16_MULT_REG2(1'b0),
    .TOPOUTPUT_SELECT(2'b10), .BOTOUTPUT_SELECT(2'b10), .MODE_8x8(1'b1), .A_SIGNED(1'b1), .B_SIGNED(1'b1)
  ) mac (
    .CLK(clk), .CE(1'b1),
    .A({{4{w[7]}}, w[7:4], {4{nibbles & w[3]}}, w[3:0]}), .B({x_hi, x_lo}), .C(16'd0), .D(16'd0),
    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
    .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
    .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(o), .CO(), .ACCUMCO(), .SIGNEXTOUT()
  );
  assign lo = o[11:0];
  assign hi = o[27:16];
`else
  reg signed [4:0]  a_lo;
  reg signed [3:0]  a_hi;
  reg signed [7:0]  b_lo, b_hi;
  reg signed [11:0] p_lo, p_hi;
  always @(posedge clk) begin
    a_lo <= {nibbles & w[3], w[3:0]};
    a_hi <= w[7:4];
    b_lo <= x_lo;
    b_hi <= x_hi;
    p_lo <= a_lo * b_lo;
    p_hi <= a_hi * b_hi;
  end
  assign lo = p_lo;
  assign hi = p_hi;
`endif
endmodule
