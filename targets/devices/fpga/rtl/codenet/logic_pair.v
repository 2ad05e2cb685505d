// What ../pair.v computes, of one x and in logic alone: a lane without a vendor cell. A nibble is two digits of base four, of which the upper one is signed
// where the nibble is; 3 · x is made once for both. What is below zero is the inverse and one more, which is carried in.
module codenet_logic_pair (
  input                    clk,
  input                    nibbles,
  input              [7:0] w,
  input signed       [7:0] x,
  output signed     [11:0] lo,
  output signed     [11:0] hi
);
  reg               split;
  reg         [7:0] v;
  reg signed  [7:0] one;
  reg signed  [9:0] three;
  reg signed [12:0] lo_sum, hi_sum;
  wire signed [9:0] two = one <<< 1;
  wire              lo_less = v[3] && split;
  wire signed [9:0] lo_below = v[1] ? (v[0] ? three : two) : v[0] ? one : 10'sd0;
  wire signed [9:0] hi_below = v[5] ? (v[4] ? three : two) : v[4] ? one : 10'sd0;
  wire signed [9:0] lo_above = v[3] ? (split ? (v[2] ? ~one : ~two) : v[2] ? three : two) : v[2] ? one : 10'sd0;
  wire signed [9:0] hi_above = v[7] ? (v[6] ? ~one : ~two) : v[6] ? one : 10'sd0;
  always @(posedge clk) begin
    split <= nibbles;
    v <= w;
    one <= x;
    three <= x + (x <<< 1);
    lo_sum <= $signed({lo_below, 1'b1}) + $signed({lo_above, {3{lo_less}}});
    hi_sum <= $signed({hi_below, 1'b1}) + $signed({hi_above, {3{v[7]}}});
  end
  assign lo = lo_sum[12:1];
  assign hi = hi_sum[12:1];
endmodule
