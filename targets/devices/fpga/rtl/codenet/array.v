// The multipliers and their sums: eight pairs (../pair.v, logic_pair.v), eight accumulators of 24 bits. One step a clock; sums come five clocks after a job's last step.
//   convolution, int8   a step is eight channels of one output; after eight steps the next eight channels
//   convolution, int4   eight channels of two outputs, whose weights are the two nibbles of each byte; after four steps the next eight channels
//   depthwise           a step is one tap of eight channels, each with an int8 weight and a sum of its own
// In a convolution the accumulators are two rings, of even and of odd outputs, that turn by what a step finishes, so that none has to be chosen.
module codenet_array (
  input              clk,
  input              rst,
  input              op,          // a step: w and x are there
  input              depthwise,
  input              nibbles,
  input              odd,         // int8: the output of this step
  input              first,       // the outputs of this step begin with it
  input              end_job,     // with or behind the last step
  input              kind,        // of the job that ends
  input       [63:0] w,
  input       [63:0] x,
  output             done,
  output             done_kind,
  output     [191:0] sums         // channel 0 in the highest bits
);
  // Of a UP5K's eight vendor cells two are in product.v.
`ifdef SKINT_MAC16
  localparam CELLS = 6;
`else
  localparam CELLS = 0;
`endif
  wire signed [11:0] lo [0:7];
  wire signed [11:0] hi [0:7];
  genvar i;
  generate
    for (i = 0; i < 8; i = i + 1) begin : lane
      if (i < CELLS) begin : vendor
        pair p (.clk(clk), .nibbles(nibbles && !depthwise), .w(w[8*i+:8]), .x_lo(x[8*i+:8]), .x_hi(x[8*i+:8]), .lo(lo[i]), .hi(hi[i]));
      end else begin : plain
        codenet_logic_pair p (.clk(clk), .nibbles(nibbles && !depthwise), .w(w[8*i+:8]), .x(x[8*i+:8]), .lo(lo[i]), .hi(hi[i]));
      end
    end
  endgenerate

  // Tags travel beside the operands: two clocks in the pairs, one in the sums of eight, one in the accumulators. Sums that a step does not have are zero.
  reg  [2:0] ops, firsts, deep, odds;
  reg  [3:0] ends, kinds;
  reg signed [14:0] a, b;
  reg signed [15:0] t [0:7];
  reg signed [23:0] acc [0:7];
  wire signed [18:0] whole = nibbles ? a : a + (b <<< 4);
  wire signed [18:0] other = nibbles ? b : whole;
  wire signed [23:0] one = firsts[2] ? 24'sd0 : deep[2] ? acc[1] : acc[7];
  wire signed [23:0] two = firsts[2] ? 24'sd0 : deep[2] ? acc[0] : acc[6];
  wire signed [18:0] to_one = whole | {{3{t[6][15]}}, t[6]};
  wire signed [18:0] to_two = other | {{3{t[7][15]}}, t[7]};
  wire [1:0] turn = {2{ops[2]}} & ({2{deep[2] || nibbles}} | {!odds[2], odds[2]});
  integer j;
  always @(posedge clk) begin
    ops <= {ops[1:0], op};
    firsts <= {firsts[1:0], first};
    deep <= {deep[1:0], depthwise};
    odds <= {odds[1:0], odd};
    ends <= {ends[2:0], end_job};
    kinds <= {kinds[2:0], kind};
    a <= deep[1] ? 15'sd0 : ((lo[0] + lo[1]) + (lo[2] + lo[3])) + ((lo[4] + lo[5]) + (lo[6] + lo[7]));
    b <= deep[1] ? 15'sd0 : ((hi[0] + hi[1]) + (hi[2] + hi[3])) + ((hi[4] + hi[5]) + (hi[6] + hi[7]));
    for (j = 0; j < 8; j = j + 1) t[j] <= deep[1] ? lo[j] + (hi[j] <<< 4) : 16'sd0;
    for (j = 2; j < 8; j = j + 1) if (turn[j&1]) acc[j] <= (!deep[2] ? acc[j-2] : firsts[2] ? 24'sd0 : acc[j]) + t[7-j];
    if (turn[1]) acc[1] <= one + to_one;
    if (turn[0]) acc[0] <= two + to_two;
    if (rst) begin
      ops <= 0;
      ends <= 0;
    end
  end
  assign done = ends[3];
  assign done_kind = kinds[3];
  assign sums = {acc[7], acc[6], acc[5], acc[4], acc[3], acc[2], acc[1], acc[0]};
endmodule
