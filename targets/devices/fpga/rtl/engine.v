// The sequencer: runs layers that lie in the memories, one after the other, without the host, and counts the clocks.
// A layer is two words among the parameters:
//   weights:u16 | activations:u16 | results:u16 | rows:u16          addresses in words of 64 bits; activations even; 12 bits of rows
//   steps:u16 | mode:u8 | flags:u8 | parameters:u16 | 0             10 bits of steps a row; mode 0 int8, 1 int4, 2 int8 2:4, 3 int4 2:4; flags 1 requantise, 2 relu
// With int4 rows go in pairs and their number is even. Results may not overlap activations of the same layer. A layer without rows or steps,
// or with a mode there is not, ends the run with `bad`.
module engine #(
  parameter WA = 14,
  parameter XA = 9,
  parameter PA = 8
) (
  input                clk,
  input                rst,
  input                run,
  input         [15:0] run_first,
  input          [7:0] run_count,
  output reg           busy,
  output reg           bad,
  output reg    [31:0] cycles,
  output reg  [WA-1:0] w_addr,
  input         [63:0] w_q,
  output      [XA-2:0] x_addr,      // in rows of 16 activations
  input        [127:0] x_q,
  output               y_we,
  output      [XA-1:0] y_addr,
  output        [63:0] y_data,
  output reg  [PA-1:0] p_addr,
  input         [63:0] p_q
);
  localparam IDLE = 3'd0, WAIT = 3'd1, FIRST = 3'd2, SECOND = 3'd3, START = 3'd4, ROWS = 3'd5, DRAIN = 3'd6, FLUSH = 3'd7;
  reg     [2:0] state;
  reg     [7:0] layers;
  reg    [11:0] rows;
  reg     [9:0] steps, at;
  reg  [PA-1:0] layer_addr;
  reg  [XA-1:0] x_base, y_base;
  reg     [1:0] mode;
  reg           requantise, relu;
  reg           chosen;              // the choices of the next step are there
  reg           ended;               // the row's last step was issued
  reg     [3:0] tick;                // clocks of this row, up to 15
  reg     [2:0] quiet;               // clocks in DRAIN, until the lanes are empty

  wire          sparse = mode[1], nibbles = mode[0];
  wire    [3:0] least = requantise ? (nibbles ? 15 : 7) : 0;   // the results take so long
  wire          choice = sparse && !chosen && (nibbles ? !at[0] : at[1:0] == 0);
  wire          issue = state == ROWS && !ended;
  wire          last = at == steps - 1;
  wire          over = (issue && !choice && last || ended) && tick >= least;
  wire   [11:0] advance = nibbles ? 2 : 1;
  wire          done, idle, take;
  wire   [31:0] sum_a, sum_b;
  wire [XA-1:0] x_word = sparse ? x_base + {at[XA-2:0], 1'b0} : x_base + at[XA-1:0];

  assign x_addr = x_word[XA-1:1];

  lanes lanes (
    .clk(clk), .rst(rst), .sparse(sparse), .nibbles(nibbles), .issue(issue), .choice(issue && choice), .half(x_word[0]),
    .first(at == 0), .last(last), .w(w_q), .x(x_q), .done(done), .sum_a(sum_a), .sum_b(sum_b)
  );
  results #(.XA(XA)) results (
    .clk(clk), .rst(rst), .begin_layer(state == START), .y_addr(y_base), .requantise(requantise), .relu(relu), .two(nibbles),
    .done(done), .sum_a(sum_a), .sum_b(sum_b), .take(take), .param(p_q), .flush(state == FLUSH), .idle(idle),
    .we(y_we), .addr(y_addr), .data(y_data)
  );

  always @(posedge clk) begin
    if (busy) cycles <= cycles + 1;
    case (state)
      IDLE: begin
        busy <= 0;
        if (run) begin
          cycles <= 0;
          bad <= 0;
          layers <= run_count;
          layer_addr <= run_first[PA-1:0];
          p_addr <= run_first[PA-1:0];
          if (run_count != 0) begin
            busy <= 1;
            state <= WAIT;
          end
        end
      end
      WAIT: begin
        p_addr <= p_addr + 1;
        state <= FIRST;
      end
      FIRST: begin
        w_addr <= p_q[WA-1:0];
        x_base <= p_q[16+:XA];
        y_base <= p_q[32+:XA];
        rows <= p_q[59:48];
        state <= SECOND;
      end
      SECOND: begin
        steps <= p_q[9:0];
        mode <= p_q[17:16];
        requantise <= p_q[24];
        relu <= p_q[25];
        p_addr <= p_q[32+:PA];
        layer_addr <= layer_addr + 2;
        state <= START;
        if (p_q[9:0] == 0 || rows == 0 || p_q[23:18] != 0 || p_q[16] && rows[0]) begin
          bad <= 1;
          state <= IDLE;
        end
      end
      START: begin
        at <= 0;
        tick <= 0;
        chosen <= 0;
        ended <= 0;
        quiet <= 0;
        state <= ROWS;
      end
      ROWS: begin
        if (tick != 15) tick <= tick + 1;
        if (issue) begin
          w_addr <= w_addr + 1;
          chosen <= choice;
          if (!choice) begin
            at <= at + 1;
            if (last) ended <= 1;
          end
        end
        if (over) begin
          at <= 0;
          ended <= 0;
          tick <= 0;
          rows <= rows - advance;
          if (rows == advance) state <= DRAIN;
        end
      end
      DRAIN: begin
        if (quiet != 7) quiet <= quiet + 1;
        if (quiet == 7 && idle) state <= FLUSH;
      end
      default: begin
        layers <= layers - 1;
        p_addr <= layer_addr;
        state <= layers == 1 ? IDLE : WAIT;
      end
    endcase
    if (take) p_addr <= p_addr + 1;
    if (rst) begin
      state <= IDLE;
      busy <= 0;
      bad <= 0;
      cycles <= 0;
    end
  end
endmodule
