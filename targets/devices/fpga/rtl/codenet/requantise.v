// fx16 (runtime/num/fx16.ts): eight sums to eight stored bytes, one a clock.
//   v = (sum · scale + 2^(shift − 1)) >> shift, plus bias;  y = v − 128, held to −128 … 127
// What is below zero becomes the byte of zero, so that a ReLU is in it. `less`: shift − 1. An entry of the parameters is scale:i16 | bias:i16.
module codenet_requantise (
  input             clk,
  input             rst,
  // eight channels of convolution, then eight of depthwise
  input             we,
  input       [3:0] w_addr,
  input      [31:0] w_data,
  input       [4:0] less_conv,
  input       [4:0] less_deep,
  // sums: at least eight clocks apart
  input             done,
  input             done_kind,    // 1: of depthwise
  input     [191:0] sums,
  output reg        push,
  output reg        push_kind,
  output reg [63:0] word
);
  (* no_rw_check *) reg [31:0] parameters [0:15];
  reg         [31:0] q;
  reg        [191:0] outs;
  reg          [3:0] left;
  reg                kind;
  always @(posedge clk) begin
    if (we) parameters[w_addr] <= w_data;
    q <= parameters[{kind, 3'd0 - left[2:0]}];
  end

  // Stages: the parameters are there; two products; their sum; shifted; rounded and moved; held to a byte.
  reg          [5:0] valid, kinds;
  reg signed  [23:0] s;
  reg signed  [32:0] p_lo;
  reg signed  [31:0] p_hi;
  reg signed  [39:0] p;
  reg signed  [32:0] h;
  reg signed  [33:0] v;
  reg signed  [15:0] bias2, bias3, bias4;
  reg          [7:0] y;
  reg          [2:0] fill;
  wire signed  [8:0] scale_lo = {1'b0, q[7:0]};
  wire signed  [7:0] scale_hi = q[15:8];
  wire         [4:0] less = kinds[2] ? less_deep : less_conv;
  wire signed [39:0] shifted = p >>> less;
  wire signed [33:0] round = (h + 34'sd1) >>> 1;
  always @(posedge clk) begin
    if (left != 0) begin
      outs <= outs << 24;
      left <= left - 1;
    end
    if (done) begin
      outs <= sums;
      left <= 8;
      kind <= done_kind;
    end
    valid <= {valid[4:0], left != 0};
    kinds <= {kinds[4:0], kind};
    s <= outs[191:168];
    p_lo <= s * scale_lo;
    p_hi <= s * scale_hi;
    bias2 <= q[31:16];
    p <= p_lo + (p_hi <<< 8);
    bias3 <= bias2;
    h <= shifted[32:0];
    bias4 <= bias3;
    v <= round + bias4;
    y <= v[33] ? 8'h80 : |v[32:8] ? 8'h7f : {!v[7], v[6:0]};
    push <= 0;
    if (valid[5]) begin
      word <= {y, word[63:8]};
      fill <= fill + 1;
      push <= fill == 7;
      push_kind <= kinds[5];
    end
    if (rst) begin
      left <= 0;
      valid <= 0;
      fill <= 0;
      push <= 0;
    end
  end
endmodule
