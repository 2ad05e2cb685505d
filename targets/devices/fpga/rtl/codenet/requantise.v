// fx16 (runtime/num/fx16.ts): eight sums to eight stored bytes, one a clock.
//   v = (sum · scale + 2^(shift − 1)) >> shift, plus bias;  y = v − 128, held to −128 … 127
// What is below zero becomes the byte of zero, so that a ReLU is in it. `less`: shift − 1, at least 7. An entry of the parameters is scale:i16 | bias:i16.
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
  (* no_rw_check *) reg [15:0] scales [0:15];
  (* no_rw_check *) reg [15:0] biases [0:15];
  reg  [15:0] scale, bias;
  reg [191:0] outs;
  reg   [2:0] at, fill;           // channel whose scale is read, whose bias
  reg   [3:0] left;
  reg         kind;
  // Beside the product: three clocks in it, one in the shift.
  reg   [3:0] valid, kinds;
  reg         whole;
  always @(posedge clk) begin
    if (we) begin
      scales[w_addr] <= w_data[15:0];
      biases[w_addr] <= w_data[31:16];
    end
    scale <= scales[done ? {done_kind, 3'd0} : {kind, at}];
    bias <= biases[{kinds[2], fill}];
  end

  wire signed [39:0] p;
  codenet_product product (.clk(clk), .sum(outs[191:168]), .scale(scale), .p(p));

  // Of p >> less the lowest 18 bits are enough: with more it is beyond any bias. Each stage leaves out what the ones behind it cannot reach.
  wire         [4:0] less = kinds[2] ? less_deep : less_conv;
  wire signed [32:0] by16 = less[4] ? p >>> 16 : p;
  wire signed [24:0] by8 = less[3] ? by16 >>> 8 : by16;
  wire signed [20:0] by4 = less[2] ? by8 >>> 4 : by8;
  wire signed [18:0] by2 = less[1] ? by4 >>> 2 : by4;
  wire signed [17:0] by1 = less[0] ? by2 >>> 1 : by2;
  wire               out = !less[4] && p[39:32] != {8{p[39]}} || !less[3] && by16[32:24] != {9{by16[32]}} || !less[2] && by8[24:20] != {5{by8[24]}} ||
    !less[1] && by4[20:18] != {3{by4[20]}} || !less[0] && by2[18:17] != {2{by2[18]}};
  reg                below, beyond;
  reg  signed [17:0] h;
  // (h + 1) >> 1 plus bias
  wire signed [18:0] v = h + $signed({bias, 1'b1});
  wire         [7:0] y = (beyond ? below : v[18]) ? 8'h80 : (beyond || |v[17:9]) ? 8'h7f : {!v[8], v[7:1]};
  always @(posedge clk) begin
    if (left != 0) begin
      outs <= outs << 24;
      left <= left - 1;
      at <= at + 1;
    end
    if (done) begin
      outs <= sums;
      left <= 8;
      at <= 1;
      kind <= done_kind;
    end
    valid <= {valid[2:0], left != 0};
    kinds <= {kinds[2:0], kind};
    if (valid[2]) fill <= fill + 1;
    whole <= valid[2] && fill == 7;
    h <= by1;
    beyond <= out;
    below <= p[39];
    if (valid[3]) word <= {y, word[63:8]};
    push <= whole;
    push_kind <= kinds[3];
    if (rst) begin
      left <= 0;
      valid <= 0;
      fill <= 0;
      whole <= 0;
      push <= 0;
    end
  end
endmodule
