// Sends a frame: header, payload out of a buffer, CRC-32. The layout is that of link/frame.ts.
module frame_tx (
  input            clk,
  input            rst,
  input            start,
  input      [3:0] kind,       // type of the frame
  input      [7:0] op,
  input      [7:0] seq,
  input      [7:0] flags,
  input      [8:0] len,
  output           busy,
  output     [7:0] addr,       // in the payload
  input      [7:0] q,          // a clock after addr
  output     [7:0] data,
  output           send,
  input            ready
);
`include "crc.vh"
  localparam IDLE = 2'd0, HEAD = 2'd1, BODY = 2'd2, TAIL = 2'd3;
  reg [1:0]  state;
  reg [8:0]  at;
  reg        settle;           // the buffer answers a clock after `at`
  reg [7:0]  head;
  reg [31:0] crc;
  reg [7:0]  bits;             // of the byte that goes into crc
  reg [3:0]  left;             // how many of them

  reg [7:0] field;
  always @*
    case (at[3:0])
      0: field = 8'ha5;
      1: field = 8'h5a;
      2: field = {4'd1, kind};
      3: field = op;
      4: field = seq;
      5: field = flags;
      6: field = len[7:0];
      7: field = {7'd0, len[8]};
      default: field = head;
    endcase

  assign busy = state != IDLE;
  assign addr = at[7:0];
  assign data = state == HEAD ? field : state == BODY ? q : ~crc[7:0];
  assign send = busy && ready && !settle;

  always @(posedge clk) begin
    settle <= 0;
    if (left != 0) begin
      crc <= crc32(crc, bits[0]);
      bits <= {1'b0, bits[7:1]};
      left <= left - 1;
    end
    if (state == IDLE) begin
      if (start) begin
        state <= HEAD;
        at <= 0;
        settle <= 1;
        head <= 0;
        crc <= 32'hffffffff;
      end
    end else if (send) begin
      at <= at + 1;
      settle <= 1;
      case (state)
        HEAD: begin
          if (at >= 2) begin
            bits <= field;
            left <= 8;
            head <= crc8(head, field);
          end
          if (at == 8) begin
            state <= len == 0 ? TAIL : BODY;
            at <= 0;
          end
        end
        BODY: begin
          bits <= q;
          left <= 8;
          if (at == len - 1) begin
            state <= TAIL;
            at <= 0;
          end
        end
        default: begin
          crc <= {8'd0, crc[31:8]};
          if (at == 3) state <= IDLE;
        end
      endcase
    end
    if (rst) begin
      state <= IDLE;
      left <= 0;
    end
  end
endmodule
