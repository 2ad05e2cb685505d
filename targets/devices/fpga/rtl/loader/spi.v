// A byte out to a serial flash and one in from it, in mode 0, most significant bit first. A bit takes four clocks: two low, two high.
module spi (
  input            clk,
  input            rst,
  input            start,    // taken only while not `busy`
  input      [7:0] out,
  output reg       busy,
  output     [7:0] in,       // whole when `busy` has ended
  output           sck,
  output           mosi,
  input            miso
);
  reg [4:0] phase;
  reg [7:0] shift;
  reg       sample;
  assign sck = phase[1];
  assign mosi = shift[7];
  assign in = shift;
  always @(posedge clk) begin
    if (busy) begin
      phase <= phase + 1;
      if (phase[1:0] == 2) sample <= miso;
      if (phase[1:0] == 3) shift <= {shift[6:0], sample};
      if (phase == 31) busy <= 0;
    end else if (start) begin
      busy <= 1;
      shift <= out;
    end
    if (rst) begin
      busy <= 0;
      phase <= 0;
    end
  end
endmodule
