// CoDeNet's engine between two wires of a serial line: the frames, the ops and the top of ../core.v, with one memory for everything and passes
// (passes.v) in place of layers. Whatever number of memory a request names, it is that one; HELLO says that the others have no words.
//   DIV    clocks a bit of the line (≥ 8): clock / DIV is the baud rate
//   KHZ    clock in kHz, told to the host
//   WA     address bits of the memory, in words of 64 bits: 14 is 128 KiB (4 SPRAM), 10 is 8 KiB (16 block RAMs)
//   BA     the same of the buffer of a slice's weights: 9 is 4 KiB (8 block RAMs)
//   LA     address bits of a row of the line buffer: a tile with a depthwise half is at most 2^LA wide; 6 takes 16 block RAMs, 4 takes 4
//   ROWS   rows of the line buffer; 15 are one too few, which a test shows
//   BOARD  name of the board, eight characters, the first in the low byte, ended with zeros
//   BUILD  the first eight bytes of the hash of what the image is made of
module core #(
  parameter DIV = 8,
  parameter KHZ = 24000,
  parameter WA = 14,
  parameter BA = 9,
  parameter LA = 6,
  parameter ROWS = 16,
  parameter [63:0] BOARD = 64'd0,
  parameter [63:0] BUILD = 64'd0
) (
  input  clk,
  input  rst,
  input  rxd,
  output txd,
  output busy      // at work on a request
);
  wire  [7:0] rx_data, tx_data;
  wire        rx_strobe, tx_send, tx_ready;
  uart_rx #(.DIV(DIV)) receiver (.clk(clk), .rst(rst), .rxd(rxd), .data(rx_data), .strobe(rx_strobe));
  uart_tx #(.DIV(DIV)) transmitter (.clk(clk), .rst(rst), .data(tx_data), .start(tx_send), .ready(tx_ready), .txd(txd));

  wire        full, is_bad, next;
  wire  [7:0] op, seq, in_addr, in_q;
  wire  [8:0] len;
  wire [15:0] good_count, bad_count, lost_count;
  frame_rx #(.DIV(DIV)) frames_in (
    .clk(clk), .rst(rst), .data(rx_data), .strobe(rx_strobe), .full(full), .bad(is_bad), .op(op), .seq(seq), .len(len), .next(next),
    .addr(in_addr), .q(in_q), .good_count(good_count), .bad_count(bad_count), .lost_count(lost_count)
  );

  wire        start, sending, out_we;
  wire  [3:0] kind;
  wire  [7:0] out_seq, out_flags, out_data, tx_addr;
  wire  [8:0] out_len, out_addr;
  (* no_rw_check *) reg [7:0] replies [0:511];
  reg   [7:0] tx_q;
  always @(posedge clk) begin
    if (out_we) replies[out_addr] <= out_data;
    tx_q <= replies[{seq[0], tx_addr}];
  end
  frame_tx frames_out (
    .clk(clk), .rst(rst), .start(start), .kind(kind), .op(op), .seq(out_seq), .flags(out_flags), .len(out_len), .busy(sending),
    .addr(tx_addr), .q(tx_q), .data(tx_data), .send(tx_send), .ready(tx_ready)
  );

  wire  [1:0] mem;
  wire [15:0] mem_addr, run_first;
  wire  [7:0] run_count;
  wire        mem_we, run, run_busy, run_bad;
  wire [63:0] mem_data, mem_q;
  wire [31:0] cycles;
  command #(.BOARD(BOARD), .BUILD(BUILD), .KHZ(KHZ), .WA(WA), .XA(16), .PA(16)) commands (
    .clk(clk), .rst(rst), .working(busy), .full(full), .bad(is_bad), .op(op), .seq(seq), .len(len), .next(next), .in_addr(in_addr), .in_q(in_q),
    .counts({lost_count, bad_count, good_count}), .start(start), .kind(kind), .out_seq(out_seq), .out_flags(out_flags),
    .out_len(out_len), .sending(sending), .out_we(out_we), .out_addr(out_addr), .out_data(out_data),
    .mem(mem), .mem_addr(mem_addr), .mem_we(mem_we), .mem_data(mem_data), .mem_q(mem_q),
    .run(run), .run_first(run_first), .run_count(run_count), .run_busy(run_busy), .run_bad(run_bad), .run_cycles(cycles)
  );

  // Commands and the passes take turns.
  wire [WA-1:0] e_addr;
  wire          e_we;
  wire   [63:0] e_data;
  passes #(.MA(WA), .BA(BA), .LA(LA), .ROWS(ROWS)) sequencer (
    .clk(clk), .rst(rst), .run(run), .run_first(run_first), .run_count(run_count), .busy(run_busy), .bad(run_bad), .cycles(cycles),
    .m_addr(e_addr), .m_we(e_we), .m_data(e_data), .m_q(mem_q)
  );
  weights_memory #(.A(WA)) memory (
    .clk(clk), .addr(run_busy ? e_addr : mem_addr[WA-1:0]), .we(run_busy ? e_we : mem_we), .data(run_busy ? e_data : mem_data), .q(mem_q)
  );
endmodule
