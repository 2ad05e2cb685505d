// CRC steps, as functions to be included in a module. CRC-8: polynomial 07, from 0, most significant bit first; a byte a step.
// CRC-32: polynomial EDB88320 reflected, from FFFFFFFF; a bit a step, as a byte lasts long on the line and eight XOR trees are large;
// a message followed by its complemented CRC leaves DEBB20E3.
  function [7:0] crc8;
    input [7:0] crc;
    input [7:0] data;
    integer i;
    begin
      crc8 = crc ^ data;
      for (i = 0; i < 8; i = i + 1) crc8 = crc8[7] ? {crc8[6:0], 1'b0} ^ 8'h07 : {crc8[6:0], 1'b0};
    end
  endfunction

  function [31:0] crc32;
    input [31:0] crc;
    input one;
    crc32 = {1'b0, crc[31:1]} ^ (crc[0] ^ one ? 32'hedb88320 : 32'd0);
  endfunction
