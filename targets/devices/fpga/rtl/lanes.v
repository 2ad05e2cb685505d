// The datapath: sixteen multipliers, their sums, and the accumulators. One step a clock; a row's sum comes out six clocks after its last step.
//   int8        eight weights of one row by eight activations
//   int4        eight weights of each of two rows, interleaved as the nibbles of a byte, by the same eight activations
//   2:4         the same, but each weight chooses among four neighbouring activations by two bits of a word that came before
// A row of activations is 16 codes; lane i sees those of the group of four that is number i / 2. Without 2:4 its choice is fixed:
// half h of the row gives lane i the code 4 · (i / 2) + 2 · h + i mod 2.
module lanes (
  input              clk,
  input              rst,
  input              sparse,
  input              nibbles,
  input              issue,      // a step: its words come a clock later
  input              choice,     // the word that comes is one of choices
  input              half,
  input              first,      // of a row
  input              last,
  input       [63:0] w,
  input      [127:0] x,
  output             done,       // sums of a row, or of two
  output      [31:0] sum_a,
  output      [31:0] sum_b
);
  reg         d_step, d_choice, d_half;
  reg  [63:0] choices;
  wire [15:0] pick_a = sparse ? choices[15:0] : {4{d_half, 1'b1, d_half, 1'b0}};
  wire [15:0] pick_b = sparse && nibbles ? choices[31:16] : pick_a;
  always @(posedge clk) begin
    d_step <= issue && !choice;
    d_choice <= choice;
    d_half <= half;
    if (rst) begin
      d_step <= 0;
      d_choice <= 0;
    end
    if (d_choice) choices <= w;
    else if (d_step) choices <= nibbles ? {32'd0, choices[63:32]} : {16'd0, choices[63:16]};
  end

  wire signed [11:0] lo [0:7];
  wire signed [11:0] hi [0:7];
  genvar i;
  generate
    for (i = 0; i < 8; i = i + 1) begin : lane
      wire [31:0] four = x[32*(i/2)+:32];
      pair p (
        .clk(clk), .nibbles(nibbles), .w(w[8*i+:8]),
        .x_lo(four[8*pick_a[2*i+:2]+:8]), .x_hi(four[8*pick_b[2*i+:2]+:8]),
        .lo(lo[i]), .hi(hi[i])
      );
    end
  endgenerate

  // Stages behind: operands, products, sums of four, sums of eight, int8 put together, accumulators.
  reg signed [13:0] a0, a1, b0, b1;
  reg signed [14:0] a, b;
  reg signed [19:0] step_a;
  reg signed [14:0] step_b;
  reg signed [31:0] acc_a, acc_b;
  reg [5:0] valid, firsts, lasts;
  reg       d_first, d_last;
  always @(posedge clk) begin
    d_first <= first;
    d_last <= last;
    valid <= {valid[4:0], d_step};
    firsts <= {firsts[4:0], d_first};
    lasts <= {lasts[4:0], d_last & d_step};
    a0 <= (lo[0] + lo[1]) + (lo[2] + lo[3]);
    a1 <= (lo[4] + lo[5]) + (lo[6] + lo[7]);
    b0 <= (hi[0] + hi[1]) + (hi[2] + hi[3]);
    b1 <= (hi[4] + hi[5]) + (hi[6] + hi[7]);
    a <= a0 + a1;
    b <= b0 + b1;
    step_a <= nibbles ? a : a + (b <<< 4);
    step_b <= b;
    if (valid[4]) begin
      acc_a <= (firsts[4] ? 0 : acc_a) + step_a;
      acc_b <= (firsts[4] ? 0 : acc_b) + step_b;
    end
    if (rst) begin
      valid <= 0;
      lasts <= 0;
    end
  end
  assign done = lasts[5];
  assign sum_a = acc_a;
  assign sum_b = acc_b;
endmodule
