// What becomes of a row's sum: it is written as it is (i32), or requantised (fx16) to int8 with the row's own bias, scale and shift:
//   H = ⌊(sum + bias) · scale / 2^16⌋,  y = ⌊(⌊H / 2^shift⌋ + 1) / 2⌋, held to −127 … 127, or to 0 … 127 with relu
// which is (sum + bias) · scale / 2^(17 + shift) rounded half up. A parameter word is bias:i32 | scale:u16 | shift:u8 (four bits) | 0.
// Two bits of the scale are multiplied a clock, so a result takes eight. Words of eight int8 or two i32 are written, the last filled with zeros.
module results #(parameter XA = 9) (
  input               clk,
  input               rst,
  input               begin_layer,
  input      [XA-1:0] y_addr,
  input               requantise,
  input               relu,
  input               two,        // sums come in pairs
  input               done,
  input        [31:0] sum_a,
  input        [31:0] sum_b,
  output reg          take,       // a parameter word was used: the next one, please
  input        [63:0] param,
  input               flush,      // nothing more will come: write what is there
  output              idle,       // nothing in hand
  output reg          we,
  output reg [XA-1:0] addr,
  output reg   [63:0] data
);
  reg         [31:0] now, then;
  reg          [1:0] pending;
  reg                busy;        // the multiplier
  reg          [2:0] phase;
  reg signed  [32:0] s;
  reg         [15:0] scale;
  reg          [3:0] shift, shift_f;
  reg signed  [36:0] p;
  reg                p_done, h_done;
  reg signed  [34:0] h;
  reg          [2:0] fill;        // bytes in `word`
  reg         [63:0] word;
  reg                out, out_wide;
  reg         [31:0] out_data;

  wire               can = pending != 0 && (!requantise || !busy || phase == 7);
  wire signed [36:0] one = scale[0] ? s : 37'sd0;
  wire signed [36:0] two_s = scale[1] ? s <<< 1 : 37'sd0;
  wire signed [36:0] below = phase == 0 ? 37'sd0 : p >>> 2;
  wire signed [34:0] shifted = $signed(p[36:2]) >>> shift_f;
  // What is beyond nine bits is beyond int8 when halved, so that only nine are rounded.
  wire               beyond = h[34] ? !(&h[33:8]) : |h[33:8];
  wire signed  [8:0] rounded = ($signed({h[8], h[8:0]}) + 10'sd1) >>> 1;
  wire               low = h[34] && (relu || beyond || rounded < -9'sd127);
  wire               high = !h[34] && (beyond || rounded > 9'sd127);
  wire         [7:0] clamped = low ? (relu ? 8'd0 : 8'h81) : high ? 8'h7f : rounded[7:0];

  assign idle = pending == 0 && !done && !busy && !p_done && !h_done && !out && !take;

  always @(posedge clk) begin
    take <= 0;
    p_done <= 0;
    h_done <= p_done;
    out <= 0;
    we <= 0;
    if (can) begin
      now <= then;
      pending <= pending - 1;
    end
    if (done) begin
      now <= sum_a;
      then <= sum_b;
      pending <= two ? 2 : 1;
    end
    // sums as they are
    if (can && !requantise) begin
      out <= 1;
      out_wide <= 1;
      out_data <= now;
    end
    // requantisation: multiply, shift, round
    if (busy) begin
      p <= below + one + two_s;
      scale <= {2'd0, scale[15:2]};
      phase <= phase + 1;
      if (phase == 7) begin
        busy <= 0;
        p_done <= 1;
        shift_f <= shift;
      end
    end
    if (can && requantise) begin
      s <= $signed(now) + $signed(param[31:0]);
      scale <= param[47:32];
      shift <= param[51:48];
      take <= 1;
      busy <= 1;
      phase <= 0;
    end
    if (p_done) h <= shifted;
    if (h_done) begin
      out <= 1;
      out_wide <= 0;
      out_data <= {24'd0, clamped};
    end
    // words
    if (we) begin
      addr <= addr + 1;
      word <= 0;
    end
    if (out) begin
      if (out_wide) word[32*fill[2]+:32] <= out_data;
      else word[8*fill+:8] <= out_data[7:0];
      fill <= fill + (out_wide ? 4 : 1);
    end
    if (out && fill == (out_wide ? 4 : 7) || flush && fill != 0) we <= 1;
    if (flush) fill <= 0;
    if (begin_layer) begin
      addr <= y_addr;
      fill <= 0;
      word <= 0;
    end
    if (rst) begin
      pending <= 0;
      busy <= 0;
      p_done <= 0;
      h_done <= 0;
      out <= 0;
      we <= 0;
      take <= 0;
    end
  end
  always @* data = word;
endmodule
