// Finds frames in a stream of bytes and keeps the payloads of two. The layout of a frame is that of link/frame.ts:
//   A5 5A | version:4 type:4 | op | sequence | flags | length:u16 | CRC-8 of these six | payload | CRC-32 of all behind the sync
// Every nine bytes that lie behind one another are tried as a header, so that whatever came before costs nothing but itself. A line that is
// quiet for 32 characters ends a frame that is not whole. A frame that finds both buffers full is dropped: the sender broke the credit window.
module frame_rx #(parameter DIV = 8) (
  input             clk,
  input             rst,
  input       [7:0] data,
  input             strobe,
  // the frame in hand
  output            full,
  output            bad,        // its CRC-32 was wrong
  output      [7:0] op,
  output      [7:0] seq,
  output      [8:0] len,
  input             next,       // done with it
  input       [7:0] addr,       // in its payload
  output reg  [7:0] q,          // a clock after addr
  // counters, for whoever asks how good the line is
  output reg [15:0] good_count,
  output reg [15:0] bad_count,
  output reg [15:0] lost_count
);
`include "crc.vh"
  localparam HUNT = 2'd0, FOLD = 2'd1, BODY = 2'd2;
  localparam QUIET = DIV * 320;
  localparam QW = $clog2(QUIET + 1);

  (* no_rw_check *) reg [7:0] mem [0:511];
  reg [1:0]    fulls, bads;
  reg [7:0]    ops [0:1];
  reg [7:0]    seqs [0:1];
  reg [8:0]    lens [0:1];
  reg          wslot, rslot;

  assign full = fulls[rslot];
  assign bad = bads[rslot];
  assign op = ops[rslot];
  assign seq = seqs[rslot];
  assign len = lens[rslot];

  reg [1:0]    state;
  reg [71:0]   win;             // the last nine bytes, the newest at the right
  reg          fresh;
  reg          skip;            // no room for this frame
  reg [2:0]    fold;
  reg [31:0]   crc;
  reg [7:0]    bits;            // of the byte that goes into crc
  reg [3:0]    left;            // how many of them
  reg [9:0]    count;
  reg [8:0]    length;
  reg [QW-1:0] quiet;

  // CRC-8 of the six bytes before the newest, kept up to date as they move on: one comes in, and what another has become by now goes out.
  reg  [7:0] check;
  wire [7:0] gone = crc8(crc8(crc8(crc8(crc8(crc8(win[55:48], 8'd0), 8'd0), 8'd0), 8'd0), 8'd0), 8'd0);
  wire [15:0] wlen = {win[15:8], win[23:16]};
  wire header = win[71:56] == 16'ha55a && win[55:48] == 8'h11 && wlen <= 256 && check == win[7:0];
  wire whole = count == {1'b0, length} + 4 && left == 0;
  wire right = crc == 32'hdebb20e3;

  always @(posedge clk) begin
    if (strobe && state == BODY && !skip && count < {1'b0, length}) mem[{wslot, count[7:0]}] <= data;
    q <= mem[{rslot, addr}];
  end

  always @(posedge clk) begin
    fresh <= 0;
    if (left != 0) begin
      crc <= crc32(crc, bits[0]);
      bits <= {1'b0, bits[7:1]};
      left <= left - 1;
    end
    quiet <= strobe ? 0 : quiet == QUIET ? quiet : quiet + 1;
    if (next) begin
      fulls[rslot] <= 0;
      rslot <= !rslot;
    end
    case (state)
      HUNT: begin
        if (strobe) begin
          win <= {win[63:0], data};
          check <= crc8(check ^ gone, win[7:0]);
          fresh <= 1;
        end
        if (fresh && header) begin
          state <= FOLD;
          fold <= 7;
          left <= 0;
          crc <= 32'hffffffff;
          count <= 0;
          length <= wlen[8:0];
          skip <= fulls[wslot];
          if (!fulls[wslot]) begin
            ops[wslot] <= win[47:40];
            seqs[wslot] <= win[39:32];
            lens[wslot] <= wlen[8:0];
          end
        end
      end
      FOLD: if (left == 0) begin
        bits <= win[55:48];
        left <= fold == 0 ? 0 : 8;
        win <= {win[63:0], 8'd0};
        fold <= fold - 1;
        if (fold == 0) begin
          state <= BODY;
          win <= 0;
          check <= 0;
        end
      end
      default: if (strobe) begin
        bits <= data;
        left <= 8;
        count <= count + 1;
      end else if (whole) begin
        state <= HUNT;
        if (skip) lost_count <= lost_count + 1;
        else begin
          fulls[wslot] <= 1;
          bads[wslot] <= !right;
          wslot <= !wslot;
          if (right) good_count <= good_count + 1;
          else bad_count <= bad_count + 1;
        end
      end
    endcase
    if (quiet == QUIET && !strobe) begin
      state <= HUNT;
      win <= 0;
      check <= 0;
    end
    if (rst) begin
      state <= HUNT;
      win <= 0;
      check <= 0;
      fresh <= 0;
      left <= 0;
      quiet <= 0;
      fulls <= 0;
      wslot <= 0;
      rslot <= 0;
      good_count <= 0;
      bad_count <= 0;
      lost_count <= 0;
    end
  end
endmodule
