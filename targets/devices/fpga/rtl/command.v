// Does what frames ask for, one after the other, and keeps the replies to the last two so that a request that comes again is answered
// again without being done again. The ops, their payloads and the rules of the sequence are those of link/protocol.ts.
module command #(
  parameter [63:0] BOARD = 64'd0,      // name, eight characters, the first in the low byte
  parameter [63:0] BUILD = 64'd0,      // hash of what the image was made of
  parameter KHZ = 24000,               // clock
  parameter WA = 14,                   // address bits of the weight memory, in words of 64 bits
  parameter XA = 9,                    // of the memory of activations
  parameter PA = 8                     // of the memory of parameters
) (
  input             clk,
  input             rst,
  // the frame in hand
  output            working,
  input             full,
  input             bad,
  input       [7:0] op,
  input       [7:0] seq,
  input       [8:0] len,
  output reg        next,
  output      [7:0] in_addr,
  input       [7:0] in_q,
  input      [47:0] counts,            // frames that were good, bad, lost
  // replies
  output reg        start,
  output reg  [3:0] kind,
  output      [7:0] out_seq,
  output      [7:0] out_flags,
  output      [8:0] out_len,
  input             sending,
  output reg        out_we,
  output reg  [8:0] out_addr,
  output reg  [7:0] out_data,
  // memories: 0 weights, 1 activations, 2 parameters
  output reg  [1:0] mem,
  output reg [15:0] mem_addr,
  output reg        mem_we,
  output     [63:0] mem_data,
  input      [63:0] mem_q,             // a clock after mem_addr
  // the engine
  output reg        run,
  output     [15:0] run_first,
  output      [7:0] run_count,
  input             run_busy,
  input             run_bad,
  input      [31:0] run_cycles
);
`include "crc.vh"
  localparam HELLO = 8'd0, WRITE = 8'd1, READ = 8'd2, SUM = 8'd3, RUN = 8'd4, STATUS = 8'd5;
  localparam REPLY = 4'd2, NAK = 4'd3;
  localparam S_IDLE = 4'd0, S_ARGS = 4'd1, S_DO = 4'd2, S_DATA = 4'd3, S_FETCH = 4'd4, S_TAKE = 4'd5, S_BYTES = 4'd6, S_RUN = 4'd7, S_CONST = 4'd8,
    S_CYCLES = 4'd9, S_KEEP = 4'd10, S_SEND = 4'd11, S_SUM = 4'd12;

  reg  [3:0]  state;
  reg         live;                    // a session was opened
  reg  [7:0]  expected;                // sequence number of the next request
  reg  [1:0]  kept;                    // which replies are there
  reg  [1:0]  kept_flags [0:1];
  reg  [8:0]  kept_len [0:1];

  reg  [8:0]  at, at_q;                // byte of the payload, and that of in_q
  reg  [47:0] args;                    // memory, spare, address, count
  reg  [63:0] word;                    // on its way into or out of a memory
  reg  [7:0]  bits;                    // of the byte that goes into crc
  reg  [2:0]  byte_at;
  reg  [15:0] left;
  reg  [31:0] crc;
  reg  [1:0]  status;
  reg  [8:0]  length;                  // of the reply's payload
  reg  [5:0]  pick;

  wire [287:0] hello = {KHZ[31:0], 8'd16, 8'd8, {15'd0, 1'b1} << PA, {15'd0, 1'b1} << XA, {15'd0, 1'b1} << WA, BUILD, BOARD, 16'd256, 8'd2, 8'd1, 32'd0};
  wire [79:0]  counters = {counts, 32'd0};
  wire [7:0]   behind = expected - seq;
  wire        slot = seq[0];
  wire         again = live && kept[slot] && (behind == 1 || behind == 2);
  wire [15:0]  addr_arg = args[31:16];
  wire [15:0]  count_arg = args[47:32];

  assign in_addr = at[7:0];
  assign out_seq = kind == NAK ? expected : seq;
  assign out_flags = {6'd0, status};
  assign out_len = length;
  assign mem_data = word;
  assign run_first = addr_arg;
  assign run_count = count_arg[7:0];
  assign working = state != S_IDLE;

  always @(posedge clk) begin
    next <= 0;
    start <= 0;
    out_we <= 0;
    mem_we <= 0;
    run <= 0;
    if (mem_we) mem_addr <= mem_addr + 1;
    at_q <= at;
    case (state)
      S_IDLE: begin
        at <= 0;
        if (full && !next) begin
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
              status <= kept_flags[slot];
              length <= kept_len[slot];
            end else begin
              kind <= NAK;
              status <= {1'b0, !live};
              length <= 0;
            end
            start <= 1;
            state <= S_SEND;
          end
        end
      end
      S_ARGS: begin
        at <= at + 1;
        if (at_q < 6 && at != 0) args <= {in_q, args[47:8]};
        if (at == 6) state <= S_DO;
      end
      S_DO: begin
        mem <= args[1:0];
        mem_addr <= addr_arg;
        left <= count_arg;
        crc <= 32'hffffffff;
        out_addr <= {slot, 8'd3};
        at <= 4;
        state <= S_CYCLES;
        pick <= 0;
        case (op)
          WRITE: if (len >= 12 && len[2:0] == 4 && args[7:0] < 3) state <= S_DATA; else status <= 1;
          READ: if (len == 6 && args[7:0] < 3 && count_arg <= 31) begin
            length <= 4 + {count_arg[5:0], 3'd0};
            if (count_arg != 0) state <= S_FETCH;
          end else status <= 1;
          SUM: if (len == 6 && args[7:0] < 3) begin
            length <= 8;
            state <= count_arg == 0 ? S_CONST : S_FETCH;
            pick <= 4;
          end else status <= 1;
          RUN: if (len == 6) begin
            run <= 1;
            state <= S_RUN;
          end else status <= 1;
          STATUS: begin
            length <= 10;
            pick <= 4;
            state <= S_CONST;
          end
          default: status <= 1;
        endcase
      end
      // bytes of a WRITE, eight of which make a word
      S_DATA: begin
        at <= at + 1;
        if (at != 4) begin
          word <= {in_q, word[63:8]};
          mem_we <= at_q[2:0] == 3;
          if (at_q == len - 1) state <= S_CYCLES;
        end
      end
      // words of a READ or SUM
      S_FETCH: state <= S_TAKE;
      S_TAKE: begin
        word <= mem_q;
        byte_at <= 0;
        left <= left - 1;
        mem_addr <= mem_addr + 1;
        state <= S_BYTES;
      end
      S_BYTES: begin
        word <= {in_q, word[63:8]};
        byte_at <= byte_at + 1;
        bits <= word[7:0];
        pick <= 8;
        if (op == READ) begin
          out_we <= 1;
          out_addr <= out_addr + 1;
          out_data <= word[7:0];
          if (byte_at == 7) begin
            state <= left != 0 ? S_FETCH : S_CYCLES;
            pick <= 0;
          end
        end else state <= S_SUM;
      end
      S_SUM: begin
        crc <= crc32(crc, bits[0]);
        bits <= {1'b0, bits[7:1]};
        pick <= pick - 1;
        if (pick == 1) begin
          state <= byte_at != 0 ? S_BYTES : left != 0 ? S_FETCH : S_CONST;
          pick <= 4;
        end
      end
      S_RUN: if (!run && !run_busy) begin
        status <= {run_bad, 1'b0};
        state <= S_CYCLES;
      end
      // replies that are made of words
      S_CONST: begin
        out_we <= 1;
        out_addr <= {slot, 2'd0, pick};
        out_data <= op == HELLO ? hello[8*pick+:8] : op == SUM ? ~crc[7:0] : counters[8*pick+:8];
        if (op == SUM) crc <= {8'd0, crc[31:8]};
        pick <= pick + 1;
        if (pick == length - 1) begin
          state <= S_CYCLES;
          pick <= 0;
        end
      end
      // the first four bytes of every reply: cycles of the last run
      S_CYCLES: begin
        out_we <= 1;
        out_addr <= {slot, 6'd0, pick[1:0]};
        out_data <= run_cycles[8*pick[1:0]+:8];
        pick <= pick + 1;
        if (pick == 3) state <= S_KEEP;
      end
      S_KEEP: begin
        kept[slot] <= 1;
        kept_flags[slot] <= status;
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
      expected <= 0;
      kept <= 0;
    end
  end
endmodule
