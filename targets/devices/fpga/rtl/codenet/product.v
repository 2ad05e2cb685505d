// A sum of 24 bits by a scale of 16, both signed, a product a clock, which comes three clocks later.
// Vendor cells: two SB_MAC16 (SKINT_MAC16), that of the lower 16 bits before that of the upper 8, which adds the two and lies eight bits higher, as zeros
// need no wires; their twin is the code below.
module codenet_product (
  input                clk,
  input         [23:0] sum,
  input         [15:0] scale,
  output signed [39:0] p
);
`ifdef SKINT_MAC16
  wire [31:0] low, high;
  SB_MAC16 #(
    .NEG_TRIGGER(1'b0), .A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b0), .D_REG(1'b0),
    .TOP_8x8_MULT_REG(1'b0), .BOT_8x8_MULT_REG(1'b0), .PIPELINE_16x16_MULT_REG1(1'b0), .PIPELINE_16x16_MULT_REG2(1'b1),
    .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b01), .BOTADDSUB_LOWERINPUT(2'b10), .BOTADDSUB_UPPERINPUT(1'b1),
    .MODE_8x8(1'b0), .A_SIGNED(1'b0), .B_SIGNED(1'b1)
  ) lower (
    .CLK(clk), .CE(1'b1), .A(sum[15:0]), .B(scale), .C(16'd0), .D(16'd0),
    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
    .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
    .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(low), .CO(), .ACCUMCO(), .SIGNEXTOUT()
  );
  SB_MAC16 #(
    .NEG_TRIGGER(1'b0), .A_REG(1'b1), .B_REG(1'b1), .C_REG(1'b0), .D_REG(1'b0),
    .TOP_8x8_MULT_REG(1'b0), .BOT_8x8_MULT_REG(1'b0), .PIPELINE_16x16_MULT_REG1(1'b0), .PIPELINE_16x16_MULT_REG2(1'b1),
    .TOPOUTPUT_SELECT(2'b01), .TOPADDSUB_LOWERINPUT(2'b10), .TOPADDSUB_UPPERINPUT(1'b1), .TOPADDSUB_CARRYSELECT(2'b10),
    .BOTOUTPUT_SELECT(2'b01), .BOTADDSUB_LOWERINPUT(2'b10), .BOTADDSUB_UPPERINPUT(1'b1),
    .MODE_8x8(1'b0), .A_SIGNED(1'b1), .B_SIGNED(1'b1)
  ) upper (
    .CLK(clk), .CE(1'b1), .A({sum[23:16], 8'd0}), .B(scale), .C({{8{low[31]}}, low[31:24]}), .D({low[23:16], 8'd0}),
    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0), .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
    .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0), .OHOLDTOP(1'b0), .OHOLDBOT(1'b0),
    .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0), .O(high), .CO(), .ACCUMCO(), .SIGNEXTOUT()
  );
  assign p = {high[31:8], low[15:0]};
`else
  reg signed [23:0] a;
  reg signed [15:0] b;
  reg signed [31:0] upper, lower;
  reg signed [39:0] both;
  always @(posedge clk) begin
    a <= sum;
    b <= scale;
    upper <= $signed(a[23:16]) * b;
    lower <= $signed({1'b0, a[15:0]}) * b;
    both <= (upper <<< 16) + lower;
  end
  assign p = both;
`endif
endmodule
