// The resident loader between a serial line and the flash that the chip is configured from. It speaks link/loader.ts, in the frames of the engine and
// by the same rules: requests in sequence, the last two replies kept. Nothing outside of START … END is ever erased or programmed, whoever asks.
//   DIV, KHZ, BOARD, BUILD  as in core.v
//   START, END              bytes of the flash that may be written, and where what is started begins
module loader #(
  parameter DIV = 8,
  parameter KHZ = 24000,
  parameter [31:0] START = 32'h28000,
  parameter [31:0] END = 32'h50000,
  parameter [63:0] BOARD = 64'd0,
  parameter [63:0] BUILD = 64'd0
) (
  input      clk,
  input      rst,
  input      rxd,
  output     txd,
  output     busy,      // at work on a request, or about to leave
  output reg boot,      // once, and then for ever: start what lies at START
  output     cs_n,
  output     sck,
  output     mosi,
  input      miso
);
`include "crc.vh"
  // ops of link/protocol.ts and link/loader.ts; types of frames; commands of flashes
  localparam HELLO = 8'd0, IDENTIFY = 8'd16, ERASE = 8'd17, PROGRAM = 8'd18, FETCH = 8'd19, BOOT = 8'd20;
  localparam REPLY = 4'd2, NAK = 4'd3;
  localparam F_ID = 8'h9f, F_READ = 8'h03, F_LATCH = 8'h06, F_ERASE = 8'h20, F_PROGRAM = 8'h02, F_STATUS = 8'h05;
  localparam S_IDLE = 4'd0, S_ARGS = 4'd1, S_DO = 4'd2, S_BUS = 4'd3, S_NEXT = 4'd4, S_WAIT = 4'd5, S_TAKE = 4'd6, S_SUM = 4'd7, S_END = 4'd8,
             S_CONST = 4'd9, S_ZERO = 4'd10, S_KEEP = 4'd11, S_SEND = 4'd12;
  localparam MOST = 248;                        // bytes in one PROGRAM or FETCH
  localparam LEAVE = DIV * 10 * 4096;           // clocks of silence before it leaves

  wire  [7:0] rx_data, tx_data;
  wire        rx_strobe, tx_send, tx_ready;
  uart_rx #(.DIV(DIV)) receiver (.clk(clk), .rst(rst), .rxd(rxd), .data(rx_data), .strobe(rx_strobe));
  uart_tx #(.DIV(DIV)) transmitter (.clk(clk), .rst(rst), .data(tx_data), .start(tx_send), .ready(tx_ready), .txd(txd));

  wire       full, bad;
  wire [7:0] op, seq, in_q;
  wire [8:0] len;
  reg        next;
  reg  [8:0] at;                                // in the payload
  frame_rx #(.DIV(DIV)) frames_in (
    .clk(clk), .rst(rst), .data(rx_data), .strobe(rx_strobe), .full(full), .bad(bad), .op(op), .seq(seq), .len(len), .next(next),
    .addr(at[7:0]), .q(in_q), .good_count(), .bad_count(), .lost_count()
  );

  reg        start, out_we;
  reg  [3:0] kind;
  reg  [8:0] length, out_addr;                  // of the reply's payload
  reg  [7:0] out_data, expected;
  reg        status;                            // 1: refused
  wire       sending;
  wire [7:0] tx_addr;
  (* no_rw_check *) reg [7:0] replies [0:511];
  reg  [7:0] tx_q;
  always @(posedge clk) begin
    if (out_we) replies[out_addr] <= out_data;
    tx_q <= replies[{seq[0], tx_addr}];
  end
  frame_tx frames_out (
    .clk(clk), .rst(rst), .start(start), .kind(kind), .op(op), .seq(kind == NAK ? expected : seq), .flags({7'd0, status}), .len(length), .busy(sending),
    .addr(tx_addr), .q(tx_q), .data(tx_data), .send(tx_send), .ready(tx_ready)
  );

  // one exchange on the bus: `head` (hleft bytes of it), then oleft bytes of the payload, then ileft bytes in
  reg         spi_start, select;
  reg   [7:0] spi_out;
  wire        spi_busy;
  wire  [7:0] spi_in;
  spi bus (.clk(clk), .rst(rst), .start(spi_start), .out(spi_out), .busy(spi_busy), .in(spi_in), .sck(sck), .mosi(mosi), .miso(miso));
  assign cs_n = !select;
  reg  [31:0] head;
  reg   [2:0] hleft, gap;
  reg   [8:0] oleft;
  reg  [31:0] ileft;
  reg   [1:0] step;                             // of a write: the latch, the command, looks at the status
  reg         waiting;                          // what the last look said

  reg   [3:0] state;
  reg         live, leaving;
  reg   [1:0] kept, kept_status;
  reg   [8:0] kept_len [0:1];
  reg  [63:0] args;                             // of the payload, the first byte lowest
  reg  [31:0] crc;
  reg   [7:0] bits;
  reg   [5:0] pick;
  reg  [31:0] silence;

  wire        slot = seq[0];
  wire  [7:0] behind = expected - seq;
  wire        again = live && kept[slot] && (behind == 1 || behind == 2);
  wire [31:0] where = args[31:0];
  wire [31:0] what = args[63:32];
  wire  [8:0] count = len - 4;                  // bytes behind the address
  wire [31:0] room = END - where;
  wire        owned = where >= START && where < END;
  wire        may_erase = len == 4 && owned && room >= 4096 && where[11:0] == 0;
  wire        may_program = len >= 5 && count <= MOST && owned && room >= {23'd0, count} && {1'b0, where[7:0]} + count <= 256;
  wire        may_fetch = len == 6 && where[31:24] == 0 && what[15:0] <= MOST;
  wire        may_boot = len == 8 && where <= END - START;
  wire        writes = op == ERASE || op == PROGRAM;

  wire [287:0] hello = {KHZ[31:0], 64'd0, BUILD, BOARD, 16'd256, 8'd2, 8'd1, 32'd0};
  wire [127:0] identity = {END, START, 64'd0};

  assign busy = state != S_IDLE || leaving;

  always @(posedge clk) begin
    next <= 0;
    start <= 0;
    out_we <= 0;
    spi_start <= 0;
    silence <= rx_strobe || state != S_IDLE ? 0 : silence + 1;
    if (leaving && silence == LEAVE) begin
      boot <= 1;
      leaving <= 0;
    end
    case (state)
      S_IDLE: begin
        at <= 0;
        if (full && !next && !boot) begin
          status <= 0;
          length <= 4;
          kind <= REPLY;
          if (!bad && op == HELLO) begin
            live <= 1;
            expected <= seq + 1;
            kept <= 0;
            length <= 36;
            pick <= 4;
            state <= S_CONST;
          end else if (!bad && live && seq == expected) begin
            expected <= expected + 1;
            state <= S_ARGS;
          end else begin
            if (!bad && again) begin
              status <= kept_status[slot];
              length <= kept_len[slot];
            end else begin
              kind <= NAK;
              status <= !live;
              length <= 0;
            end
            start <= 1;
            state <= S_SEND;
          end
        end
      end
      S_ARGS: begin
        at <= at + 1;
        if (at != 0) args <= {in_q, args[63:8]};
        if (at == 8) state <= S_DO;
      end
      S_DO: begin
        at <= 4;
        step <= 0;
        pick <= 0;
        hleft <= 4;
        oleft <= 0;
        ileft <= 0;
        crc <= 32'hffffffff;
        out_addr <= {slot, 8'd3};
        head <= {F_READ, where[23:0]};
        state <= S_ZERO;
        case (op)
          IDENTIFY: begin
            head[31:24] <= F_ID;
            hleft <= 1;
            ileft <= 3;
            length <= 16;
            state <= S_BUS;
          end
          ERASE, PROGRAM: if (op == ERASE ? may_erase : may_program) begin
            head[31:24] <= F_LATCH;
            hleft <= 1;
            state <= S_BUS;
          end else status <= 1;
          FETCH: if (may_fetch) begin
            ileft <= {16'd0, what[15:0]};
            length <= 4 + what[8:0];
            state <= S_BUS;
          end else status <= 1;
          BOOT: if (may_boot) begin
            head[23:0] <= START[23:0];
            ileft <= where;
            length <= 8;
            state <= S_BUS;
          end else status <= 1;
          default: status <= 1;
        endcase
      end
      S_BUS: begin
        select <= 1;
        state <= S_NEXT;
      end
      S_NEXT:
        if (hleft != 0) begin
          spi_out <= head[31:24];
          head <= {head[23:0], 8'd0};
          hleft <= hleft - 1;
          spi_start <= 1;
          state <= S_WAIT;
        end else if (oleft != 0) begin
          spi_out <= in_q;
          at <= at + 1;
          oleft <= oleft - 1;
          spi_start <= 1;
          state <= S_WAIT;
        end else if (ileft != 0) begin
          ileft <= ileft - 1;
          spi_start <= 1;
          state <= S_TAKE;
        end else begin
          select <= 0;
          gap <= 7;
          state <= S_END;
        end
      S_WAIT: if (!spi_start && !spi_busy) state <= S_NEXT;
      S_TAKE: if (!spi_start && !spi_busy) begin
        waiting <= spi_in[0];
        bits <= spi_in;
        pick <= 8;
        state <= op == BOOT ? S_SUM : S_NEXT;
        if (op == IDENTIFY || op == FETCH) begin
          out_we <= 1;
          out_addr <= out_addr + 1;
          out_data <= spi_in;
        end
      end
      S_SUM: begin
        crc <= crc32(crc, bits[0]);
        bits <= {1'b0, bits[7:1]};
        pick <= pick - 1;
        if (pick == 1) state <= S_NEXT;
      end
      // the flash wants its select to rest between commands
      S_END: begin
        gap <= gap - 1;
        pick <= op == BOOT ? 4 : 7;
        if (gap == 0) begin
          if (writes && step == 0) begin
            step <= 1;
            head <= {op == ERASE ? F_ERASE : F_PROGRAM, where[23:0]};
            hleft <= 4;
            oleft <= op == ERASE ? 0 : count;
            state <= S_BUS;
          end else if (writes && (step == 1 || waiting)) begin
            step <= 2;
            head[31:24] <= F_STATUS;
            hleft <= 1;
            ileft <= 1;
            state <= S_BUS;
          end else if (op == BOOT) begin
            leaving <= what == ~crc;
            state <= S_CONST;
          end else begin
            if (op != IDENTIFY) pick <= 0;
            state <= op == IDENTIFY ? S_CONST : S_ZERO;
          end
        end
      end
      // replies that are made of words, from byte `pick` on
      S_CONST: begin
        out_we <= 1;
        out_addr <= {slot, 2'd0, pick};
        out_data <= op == HELLO ? hello[8*pick+:8] : op == BOOT ? ~crc[7:0] : identity[8*pick+:8];
        if (op == BOOT) crc <= {8'd0, crc[31:8]};
        pick <= pick + 1;
        if (pick == length - 1) begin
          state <= S_ZERO;
          pick <= 0;
        end
      end
      // the first four bytes of every reply
      S_ZERO: begin
        out_we <= 1;
        out_addr <= {slot, 6'd0, pick[1:0]};
        out_data <= 0;
        pick <= pick + 1;
        if (pick == 3) state <= S_KEEP;
      end
      S_KEEP: begin
        kept[slot] <= 1;
        kept_status[slot] <= status;
        kept_len[slot] <= length;
        start <= 1;
        state <= S_SEND;
      end
      // the frame in hand is kept until its reply is on the line, whose header is made of it
      default: if (!start && !sending) begin
        next <= 1;
        state <= S_IDLE;
      end
    endcase
    if (rst) begin
      state <= S_IDLE;
      live <= 0;
      leaving <= 0;
      boot <= 0;
      select <= 0;
      expected <= 0;
      kept <= 0;
      silence <= 0;
    end
  end
endmodule
