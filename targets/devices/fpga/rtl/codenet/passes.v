// The sequencer: runs passes that lie in the memory, one after the other, without the host, and counts the clocks. A pass is
//     [convolution → requantise] → [3 × 3 depthwise, ordinary or square-deformable → requantise]
// over a tile, either half of it left out. It goes by slices of eight channels of the output; of each it loads the weights, then goes over the pixels:
// one of the convolution, and one of the depthwise half that is LEAD rows behind and reads a line buffer. A slice of weights is
//     words of the convolution | nine words of depthwise, one a tap, if there is that half | 4 words of parameters each (requantise.v)
// Of the convolution, for each tap and each word of eight input channels: int8, eight words, one an output; int4, four words, each two outputs (array.v).
// Four words say what a pass is. Addresses are in words of 64 bits; with `bytes`, an image of one channel in the first 64 KiB, x and its steps are in bytes.
//     x:u16 | pitch:u16 | xstep:u16 | ystep:u16     of the first window; from a row to the next; from a window to the next, and to the one below
//     y:u16 | weights:u16 | dilation:u16 | count:u16    count: words of the convolution a slice; dilation: a byte a pixel of the output
//     width:u8 | height:u8 | cw:u8 | ch:u8 | size:u8 | pad:u8 | stride:u8 | xw:u8    of the input; of the convolution's output; xw: words a pixel
//     slices:u8 | flags:u8 | less:u8 | less:u8      shift − 1 of each half; flags as below
// A pass that is none (no half, a side of zero, no room in the buffers) ends the run with `bad`.
module passes #(
  parameter MA = 14,               // address bits of the memory
  parameter BA = 9,                // of the buffer of a slice's weights
  parameter LA = 6,                // of a row of the line buffer: the widest tile with a depthwise half
  parameter ROWS = 16              // of the line buffer: LEAD + 7 + 1, as the row that comes in may not be one that a window still sees
) (
  input               clk,
  input               rst,
  input               run,
  input        [15:0] run_first,
  input         [7:0] run_count,
  output reg          busy,
  output reg          bad,
  output reg   [31:0] cycles,
  output reg [MA-1:0] m_addr,
  output              m_we,
  output       [63:0] m_data,
  input        [63:0] m_q
);
  localparam LEAD = 8;
  localparam IDLE = 4'd0, WAIT = 4'd1, READ = 4'd2, CHECK = 4'd3, SLICE = 4'd4, WEIGHTS = 4'd5, PARAMS = 4'd6, ASK = 4'd7, GET = 4'd8, SET = 4'd9,
    ROW = 4'd10, CONV = 4'd11, DEEP = 4'd12, DRAIN = 4'd13;
  reg    [3:0] state;
  reg    [7:0] left;                                   // passes
  reg [MA-1:0] pass_addr, ptr;
  reg    [1:0] part;

  // The pass.
  reg   [15:0] x0, pitch, xstep, ystep, y0, dilation, count;
  reg    [7:0] width, height, cw, ch, size, pad, stride, xw, slices, flags;
  reg    [4:0] less_conv, less_deep;
  wire conv = flags[0], deep = flags[1], deform = flags[2], by_two = flags[3], nibbles = flags[4], bytes = flags[5];

  // Where it is: slice, row and column, those of the depthwise half behind them.
  reg    [7:0] slice, q;
  reg    [8:0] r;
  reg    [9:0] row0, row, col0, col;                   // of the window, of the tap; below zero they are beyond any side
  reg   [15:0] line_x, pixel_x, tap_row, tap_x;
  reg    [7:0] ti, tj, tc;
  reg    [2:0] phase;
  reg    [3:0] tap;
  reg    [1:0] di, dj;
  reg [BA-1:0] wa, last_weight;
  reg    [3:0] in_slot, mid_slot;
  reg [LA-1:0] in_col;
  reg   [16:0] dil_at;
  reg    [2:0] dil, dil_next;
  reg [MA-1:0] y_at;
  reg    [2:0] lining, flying;                         // words of jobs that are still on their way to the line buffer, to the memory

  wire         conv_row = r < ch;
  wire         deep_row = deep && r >= LEAD && !(by_two && r[0]);
  wire         deep_px = deep_row && !(by_two && q[0]);
  wire         copy = !conv;
  // Where there is no convolution any more, a stride of two leaves out every other pixel.
  wire         two = !conv_row && by_two;
  wire   [7:0] q_end = cw - 8'd1;
  wire         last_px = q[7:1] == q_end[7:1] && (two || q[0] == q_end[0]);
  wire   [8:0] rows = ch + (deep ? LEAD : 0);
  // A job takes eight clocks at least, as requantisation does.
  wire         short = nibbles && size == 1 && xw == 1;
  wire         last_phase = phase == (nibbles && !short ? 3 : 7);
  wire         last_c = tc + 8'd1 == xw, last_j = tj + 8'd1 == size, last_i = ti + 8'd1 == size;
  wire         conv_op = state == CONV && !copy && !(nibbles && phase[2]);
  wire         conv_end = state == CONV && (copy || last_phase && last_c && last_j && last_i);
  wire         deep_end = state == DEEP && tap == 8;
  wire         px_end = conv_end && !deep_px || deep_end;
  // A row begins when the one before is whole; one of copying alone, which leaves the memory no clock to write, when its words are written too.
  wire         settled = lining == 0 && !(copy && by_two && flying != 0);
  wire         drained = lining == 0 && flying == 0;
  // A pixel is copied while the depthwise half is at work, where it is.
  wire         deep_next = deep_row && !(by_two && !q[0]);
  wire   [3:0] next_job = conv_row && !(copy && deep_next) ? CONV : DEEP;
  wire         copying = copy && (state == CONV || state == DEEP && conv_row && tap == 0);

  // The buffer has 2^BA words; the nine of the depthwise half are in it too, and 2^BA − 9 ends in 0111.
  wire         crowded = count >> BA != 0 && !(!deep && count == 1 << BA) || deep && &count[BA-1:3];

  // A tap of the depthwise half: row and column, and whether they are in the tile.
  wire signed [4:0] s = deform ? {2'b00, dil} : 5'sd1;
  wire signed [4:0] s_i = di == 0 ? -s : di == 2 ? s : 5'sd0;
  wire signed [4:0] s_j = dj == 0 ? -s : dj == 2 ? s : 5'sd0;
  wire   [9:0] deep_row_at = $signed({1'b0, r}) + (s_i - 5'sd8);
  wire   [9:0] deep_col_at = $signed({2'b00, q}) + s_j;
  wire signed [5:0] slot_sum = $signed({2'b00, mid_slot}) + s_i;
  wire signed [5:0] slot = ROWS == 16 ? slot_sum : slot_sum < 0 ? slot_sum + ROWS : slot_sum >= ROWS ? slot_sum - ROWS : slot_sum;
  wire         deep_in = deep_row_at < ch && deep_col_at < cw;
  wire         tap_in = row < height && col < width;

  // The memory has one port: what is read now, else a word of output that waits.
  reg          pending;
  reg   [63:0] pending_word;
  wire         read_x = copying || conv_op && phase == 0;
  wire         read_dil = state == ASK || state == DEEP && tap == 1 && deform;
  wire         reading = read_x || read_dil || state == WAIT || state == READ || state == WEIGHTS || state == PARAMS;
  always @*
    if (read_x) m_addr = bytes ? tap_x[15:3] : tap_x[MA-1:0];
    else if (read_dil) m_addr = dil_at[MA+2:3];
    else if (reading) m_addr = ptr;
    else m_addr = y_at;
  assign m_we = busy && pending && !reading;
  assign m_data = pending_word;

  // A clock behind: what the memories gave.
  reg          b_op, b_deep, b_first, b_odd, b_end, b_new, b_in, b_copy, b_dil, b_weights, b_params, b_half;
  reg    [2:0] b_byte;
  reg    [3:0] b_entry;
  wire  [63:0] w_q, line_q, word;
  wire   [7:0] x_byte = m_q[8*b_byte+:8];
  wire   [7:0] dil_value = x_byte ^ 8'h80;

  // Another: a step's operands. Its tap of the line buffer and its weights are asked for a clock later than a word of the memory, which is kept.
  reg          c_op, c_deep, c_first, c_odd, c_end, c_in;
  reg   [63:0] x_held;
  reg [BA-1:0] w_at;
  reg [LA+3:0] line_at;
  wire  [63:0] x = !c_deep ? x_held : c_in ? line_q : {8{8'h80}};

  wire         done, done_kind, push, push_kind;
  wire [191:0] sums;
  wire         to_line = push && !push_kind && deep;
  wire         line_we = to_line || b_copy;
  codenet_array array (
    .clk(clk), .rst(rst), .op(c_op), .depthwise(c_deep), .nibbles(nibbles), .odd(c_odd), .first(c_first), .end_job(c_end), .kind(c_deep),
    .w(w_q), .x(x), .done(done), .done_kind(done_kind), .sums(sums)
  );
  codenet_requantise requantise (
    .clk(clk), .rst(rst), .we(b_params), .w_addr(b_entry), .w_data(b_half ? m_q[63:32] : m_q[31:0]),
    .less_conv(less_conv), .less_deep(less_deep), .done(done), .done_kind(done_kind), .sums(sums), .push(push), .push_kind(push_kind), .word(word)
  );
  block_memory #(.A(BA)) weights (.clk(clk), .we(b_weights), .w_addr(w_at), .data(m_q), .r_addr(w_at), .q(w_q));
  block_memory #(.A(4 + LA)) line (
    .clk(clk), .we(line_we), .w_addr({in_slot, in_col}), .data(b_copy ? m_q : word), .r_addr(line_at), .q(line_q)
  );

  always @(posedge clk) begin
    b_op <= conv_op || state == DEEP;
    b_deep <= state == DEEP;
    b_first <= state == DEEP ? tap == 0 : tc == 0 && tj == 0 && ti == 0;
    b_end <= conv_end && !copy || deep_end;
    b_odd <= phase[0];
    b_new <= read_x;
    b_in <= state == DEEP ? deep_in : tap_in;
    b_copy <= copying;
    b_dil <= read_dil;
    b_byte <= read_dil ? dil_at[2:0] : tap_x[2:0];
    b_weights <= state == WEIGHTS;
    b_params <= state == PARAMS;
    b_half <= tap[0];
    b_entry <= tap;
    w_at <= wa;
    line_at <= {slot[3:0], deep_col_at[LA-1:0]};
    {c_op, c_deep, c_first, c_odd, c_end, c_in} <= {b_op, b_deep, b_first, b_odd, b_end, b_in};
    if (b_new) x_held <= !b_in ? {8{8'h80}} : bytes ? {m_q[63:8], x_byte} : m_q;
    if (read_dil) dil_at <= dil_at + 1;
    if (b_dil) dil_next <= dil_value[7:3] != 0 ? 3'd7 : dil_value[2:0];

    // Words of the line buffer come in one after the other, and so do words of the output go out.
    if (line_we) begin
      in_col <= in_col + 1;
      if (in_col == q_end[LA-1:0]) begin
        in_col <= 0;
        in_slot <= in_slot == ROWS - 1 ? 0 : in_slot + 1;
      end
    end
    if (m_we) begin
      pending <= 0;
      y_at <= y_at + slices;
    end
    if (push && !to_line) begin
      pending <= 1;
      pending_word <= word;
    end
    lining <= lining + (conv_end && !copy && deep ? 1 : 0) - (to_line ? 1 : 0);
    flying <= flying + (conv_end && !deep || deep_end ? 1 : 0) - (m_we ? 1 : 0);

    if (busy) cycles <= cycles + 1;
    case (state)
      IDLE: begin
        busy <= 0;
        if (run) begin
          cycles <= 0;
          bad <= 0;
          left <= run_count;
          ptr <= run_first[MA-1:0];
          if (run_count != 0) begin
            busy <= 1;
            state <= WAIT;
          end
        end
      end
      WAIT: begin
        ptr <= ptr + 1;
        part <= 0;
        slice <= 0;
        state <= READ;
      end
      READ: begin
        ptr <= ptr + 1;
        part <= part + 1;
        case (part)
          0: {ystep, xstep, pitch, x0} <= m_q;
          1: begin
            {count, dilation} <= m_q[63:32];
            y0 <= m_q[15:0];
            line_x <= m_q[31:16];                      // weights, until ptr is free
          end
          2: {xw, stride, pad, size, ch, cw, height, width} <= m_q;
          default: begin
            slices <= m_q[7:0];
            flags <= m_q[15:8];
            less_conv <= m_q[20:16];
            less_deep <= m_q[28:24];
            pass_addr <= ptr;
            ptr <= line_x[MA-1:0];
            state <= CHECK;
          end
        endcase
      end
      CHECK: begin
        state <= SLICE;
        if (!conv && !deep || cw == 0 || ch == 0 || slices == 0 || conv && (size == 0 || xw == 0) || deep && q_end[7:LA] != 0 || crowded ||
          conv && less_conv[4:3] == 0 && less_conv[2:0] != 7 || deep && less_deep[4:3] == 0 && less_deep[2:0] != 7) begin
          bad <= 1;
          state <= IDLE;
        end
      end
      SLICE: begin
        wa <= 0;
        tap <= 0;
        y_at <= y0 + slice;
        line_x <= conv ? x0 : x0 + slice;
        row0 <= -{2'b00, pad};
        r <= 0;
        in_col <= 0;
        in_slot <= 0;
        mid_slot <= 0;
        dil_at <= {dilation[13:0], 3'd0};
        last_weight <= count[BA:0] + (deep ? 9 : 0) - 1;
        state <= count == 0 && !deep ? PARAMS : WEIGHTS;
      end
      WEIGHTS: begin
        ptr <= ptr + 1;
        wa <= wa + 1;
        if (wa == last_weight) state <= PARAMS;
      end
      PARAMS: begin
        if (tap[0]) ptr <= ptr + 1;
        tap <= tap + 1;
        if (tap == 15) state <= deform ? ASK : ROW;
      end
      ASK: state <= GET;
      GET: state <= SET;
      SET: begin
        dil <= dil_next;
        state <= ROW;
      end
      ROW: begin
        q <= 0;
        {ti, tj, tc, phase} <= 0;
        {tap, di, dj} <= 0;
        wa <= conv_row ? 0 : count[BA-1:0];
        row <= row0;
        col0 <= -{2'b00, pad};
        col <= -{2'b00, pad};
        pixel_x <= line_x;
        tap_row <= line_x;
        tap_x <= line_x;
        if (r == rows) state <= DRAIN;
        else if (settled && (conv_row || deep_row)) state <= conv_row && !(copy && deep_row) ? CONV : DEEP;
      end
      CONV: begin
        if (conv_op) wa <= wa + 1;
        phase <= phase + 1;
        if (last_phase) begin
          phase <= 0;
          tap_x <= tap_x + 1;
          tc <= tc + 1;
          if (last_c) begin
            tc <= 0;
            tj <= tj + 1;
            col <= col + 1;
            if (last_j) begin
              tj <= 0;
              ti <= ti + 1;
              col <= col0;
              row <= row + 1;
              tap_row <= tap_row + pitch;
              tap_x <= tap_row + pitch;
            end
          end
        end
        if (conv_end) wa <= deep_px ? count[BA-1:0] : 0;
        if (conv_end) state <= deep_px ? DEEP : next_job;
      end
      DEEP: begin
        wa <= wa + 1;
        tap <= tap + 1;
        dj <= dj + 1;
        if (dj == 2) begin
          dj <= 0;
          di <= di + 1;
        end
        if (deep_end) begin
          {tap, di, dj} <= 0;
          wa <= conv_row ? 0 : count[BA-1:0];
          dil <= dil_next;
          state <= next_job;
        end
      end
      default: if (drained) begin                      // DRAIN
        slice <= slice + 1;
        state <= SLICE;
        if (slice + 8'd1 == slices) begin
          left <= left - 1;
          ptr <= pass_addr;
          state <= left == 1 ? IDLE : WAIT;
        end
      end
    endcase
    if (px_end) begin
      q <= q + (two ? 8'd2 : 8'd1);
      {ti, tj, tc, phase} <= 0;
      col0 <= col0 + stride;
      col <= col0 + stride;
      row <= row0;
      pixel_x <= pixel_x + xstep;
      tap_row <= pixel_x + xstep;
      tap_x <= pixel_x + xstep;
      if (last_px) state <= ROW;
    end
    if (px_end && last_px || state == ROW && r != rows && settled && !conv_row && !deep_row) begin
      r <= r + 1;
      if (r >= LEAD) mid_slot <= mid_slot == ROWS - 1 ? 0 : mid_slot + 1;
      row0 <= row0 + stride;
      line_x <= line_x + ystep;
    end
    if (rst) begin
      state <= IDLE;
      busy <= 0;
      bad <= 0;
      cycles <= 0;
      pending <= 0;
      lining <= 0;
      flying <= 0;
      b_copy <= 0;
      b_op <= 0;
      b_end <= 0;
      c_op <= 0;
      c_end <= 0;
      b_weights <= 0;
      b_params <= 0;
    end
  end
endmodule
