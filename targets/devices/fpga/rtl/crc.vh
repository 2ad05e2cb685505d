// CRC steps of one byte, as functions to be included in a module. CRC-8: polynomial 07, from 0, most significant bit first.
// CRC-32: polynomial EDB88320 reflected, from FFFFFFFF; a message followed by its complemented CRC leaves DEBB20E3.
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
    input [7:0] data;
    integer i;
    begin
      crc32 = crc ^ {24'd0, data};
      for (i = 0; i < 8; i = i + 1) crc32 = crc32[0] ? {1'b0, crc32[31:1]} ^ 32'hedb88320 : {1'b0, crc32[31:1]};
    end
  endfunction
