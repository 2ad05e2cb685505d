// The multipliers and their sums: eight pairs (../pair.v), eight accumulators of 24 bits. One step a clock; sums come five clocks after a job's last step.
//   convolution, int8   a step is eight channels of one output; after eight steps the next eight channels
//   convolution, int4   eight channels of two outputs, whose weights are the two nibbles of each byte; after four steps the next eight channels
//   depthwise           a step is one tap of eight channels, each with an int8 weight and a sum of its own
// In a convolution the accumulators are a ring that turns by what a step finishes, so that none has to be chosen.
module codenet_array (
  input              clk,
  input              rst,
  input              op,          // a step: w and x are there
  input              depthwise,
  input              nibbles,
  input              first,       // the outputs of this step begin with it
  input              end_job,     // with or behind the last step
  input              kind,        // of the job that ends
  input       [63:0] w,
  input       [63:0] x,
  output             done,
  output             done_kind,
  output     [191:0] sums         // channel 0 in the highest bits
);
  wire signed [11:0] lo [0:7];
  wire signed [11:0] hi [0:7];
  genvar i;
  generate
    for (i = 0; i < 8; i = i + 1) begin : lane
      pair p (.clk(clk), .nibbles(nibbles && !depthwise), .w(w[8*i+:8]), .x_lo(x[8*i+:8]), .x_hi(x[8*i+:8]), .lo(lo[i]), .hi(hi[i]));
    end
  endgenerate

  // Tags travel beside the operands: two clocks in the pairs, one in the sums of eight, one in the accumulators.
  reg  [2:0] ops, firsts, deep, halves;
  reg  [3:0] ends, kinds;
  reg signed [14:0] a, b;
  reg signed [15:0] t [0:7];
  reg signed [23:0] acc [0:7];
  wire signed [23:0] one = firsts[2] ? 24'sd0 : acc[7];
  wire signed [23:0] two = firsts[2] ? 24'sd0 : acc[6];
  wire signed [18:0] b16 = b <<< 4;
  integer j;
  always @(posedge clk) begin
    ops <= {ops[1:0], op};
    firsts <= {firsts[1:0], first};
    deep <= {deep[1:0], depthwise};
    halves <= {halves[1:0], nibbles};
    ends <= {ends[2:0], end_job};
    kinds <= {kinds[2:0], kind};
    a <= ((lo[0] + lo[1]) + (lo[2] + lo[3])) + ((lo[4] + lo[5]) + (lo[6] + lo[7]));
    b <= ((hi[0] + hi[1]) + (hi[2] + hi[3])) + ((hi[4] + hi[5]) + (hi[6] + hi[7]));
    for (j = 0; j < 8; j = j + 1) t[j] <= lo[j] + (hi[j] <<< 4);
    if (ops[2]) begin
      if (deep[2]) begin
        for (j = 0; j < 8; j = j + 1) acc[7-j] <= (firsts[2] ? 24'sd0 : acc[7-j]) + t[j];
      end else if (halves[2]) begin
        for (j = 2; j < 8; j = j + 1) acc[j] <= acc[j-2];
        acc[1] <= one + a;
        acc[0] <= two + b;
      end else begin
        for (j = 1; j < 8; j = j + 1) acc[j] <= acc[j-1];
        acc[0] <= one + a + b16;
      end
    end
    if (rst) begin
      ops <= 0;
      ends <= 0;
    end
  end
  assign done = ends[3];
  assign done_kind = kinds[3];
  assign sums = {acc[7], acc[6], acc[5], acc[4], acc[3], acc[2], acc[1], acc[0]};
endmodule
