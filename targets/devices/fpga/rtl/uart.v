// Bytes on a wire: 8 data bits, no parity, one stop bit, least significant bit first.
// DIV: clocks a bit, at least 8; each bit is sampled in its middle, so that a baud rate 3 % off is still read.

module uart_rx #(parameter DIV = 8) (
  input            clk,
  input            rst,
  input            rxd,
  output reg [7:0] data,
  output reg       strobe    // one clock: `data` is a whole byte; a byte without its stop bit is dropped
);
  localparam CW = $clog2(DIV + DIV / 2 + 1);
  reg [1:0]    line;         // rxd, brought to this clock
  reg [CW-1:0] count;
  reg [3:0]    bits;         // 0: waiting for a start bit; else bits still to come
  reg [7:0]    shift;
  always @(posedge clk) begin
    line <= {line[0], rxd};
    strobe <= 0;
    if (bits == 0) begin
      count <= DIV + DIV / 2 - 1;
      if (!line[1]) bits <= 9;
    end else if (count != 0) begin
      count <= count - 1;
    end else begin
      count <= DIV - 1;
      bits <= bits - 1;
      shift <= {line[1], shift[7:1]};
      if (bits == 1) begin
        data <= shift;
        strobe <= line[1];
      end
    end
    if (rst) begin
      line <= 2'b11;
      bits <= 0;
      strobe <= 0;
    end
  end
endmodule

module uart_tx #(parameter DIV = 8) (
  input       clk,
  input       rst,
  input [7:0] data,
  input       start,         // taken only while `ready`
  output      ready,
  output      txd
);
  localparam CW = $clog2(DIV + 1);
  reg [CW-1:0] count;
  reg [3:0]    bits;         // still to be held, the stop bit included
  reg [8:0]    shift;
  assign ready = bits == 0;
  assign txd = shift[0];
  always @(posedge clk) begin
    if (ready) begin
      if (start) begin
        shift <= {data, 1'b0};
        count <= DIV - 1;
        bits <= 10;
      end
    end else if (count != 0) begin
      count <= count - 1;
    end else begin
      count <= DIV - 1;
      bits <= bits - 1;
      shift <= {1'b1, shift[8:1]};
    end
    if (rst) begin
      bits <= 0;
      shift <= 9'h1ff;
    end
  end
endmodule
