// The whole of it between two wires of a serial line. Boards put it behind their clock and pins (top.v), the simulator clocks it itself.
//   DIV    clocks a bit of the line (≥ 8): clock / DIV is the baud rate
//   KHZ    clock in kHz, told to the host
//   WA     address bits of the memory of weights, in words of 64 bits: 14 is 128 KiB (4 SPRAM), 10 is 8 KiB (16 block RAMs)
//   XA     the same of activations and results, at least 9: 4 KiB (8 block RAMs)
//   PA     the same of layers and of rows' parameters, at least 8: 2 KiB (4 block RAMs)
//   BOARD  name of the board, eight characters, the first in the low byte, ended with zeros
//   BUILD  the first eight bytes of the hash of what the image is made of
module core #(
  parameter DIV = 8,
  parameter KHZ = 24000,
  parameter WA = 14,
  parameter XA = 9,
  parameter PA = 8,
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
  command #(.BOARD(BOARD), .BUILD(BUILD), .KHZ(KHZ), .WA(WA), .XA(XA), .PA(PA)) commands (
    .clk(clk), .rst(rst), .working(busy), .full(full), .bad(is_bad), .op(op), .seq(seq), .len(len), .next(next), .in_addr(in_addr), .in_q(in_q),
    .counts({lost_count, bad_count, good_count}), .start(start), .kind(kind), .out_seq(out_seq), .out_flags(out_flags),
    .out_len(out_len), .sending(sending), .out_we(out_we), .out_addr(out_addr), .out_data(out_data),
    .mem(mem), .mem_addr(mem_addr), .mem_we(mem_we), .mem_data(mem_data), .mem_q(mem_q),
    .run(run), .run_first(run_first), .run_count(run_count), .run_busy(run_busy), .run_bad(run_bad), .run_cycles(cycles)
  );

  wire [WA-1:0] e_w;
  wire [XA-2:0] e_x;
  wire [XA-1:0] y_addr;
  wire [PA-1:0] e_p;
  wire          y_we;
  wire   [63:0] w_q, x_even, x_odd, p_q, y_data;
  engine #(.WA(WA), .XA(XA), .PA(PA)) sequencer (
    .clk(clk), .rst(rst), .run(run), .run_first(run_first), .run_count(run_count), .busy(run_busy), .bad(run_bad), .cycles(cycles),
    .w_addr(e_w), .w_q(w_q), .x_addr(e_x), .x_q({x_odd, x_even}), .y_we(y_we), .y_addr(y_addr), .y_data(y_data), .p_addr(e_p), .p_q(p_q)
  );

  // Commands and the engine take turns; activations lie in two memories, one of even and one of odd words.
  wire          x_we = run_busy ? y_we : mem_we && mem == 1;
  wire [XA-1:0] x_waddr = run_busy ? y_addr : mem_addr[XA-1:0];
  wire   [63:0] x_data = run_busy ? y_data : mem_data;
  wire [XA-2:0] x_raddr = run_busy ? e_x : mem_addr[XA-1:1];
  weights_memory #(.A(WA)) weights (.clk(clk), .addr(run_busy ? e_w : mem_addr[WA-1:0]), .we(mem_we && mem == 0), .data(mem_data), .q(w_q));
  block_memory #(.A(XA-1)) even (.clk(clk), .we(x_we && !x_waddr[0]), .w_addr(x_waddr[XA-1:1]), .data(x_data), .r_addr(x_raddr), .q(x_even));
  block_memory #(.A(XA-1)) odd (.clk(clk), .we(x_we && x_waddr[0]), .w_addr(x_waddr[XA-1:1]), .data(x_data), .r_addr(x_raddr), .q(x_odd));
  block_memory #(.A(PA)) parameters (.clk(clk), .we(mem_we && mem == 2), .w_addr(mem_addr[PA-1:0]), .data(mem_data), .r_addr(run_busy ? e_p : mem_addr[PA-1:0]), .q(p_q));

  assign mem_q = mem == 0 ? w_q : mem == 2 ? p_q : mem_addr[0] ? x_odd : x_even;
endmodule
