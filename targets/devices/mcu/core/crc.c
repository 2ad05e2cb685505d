// Checksums of the framing: CRC-8 with polynomial 07, CRC-32 as that of zip files, four bits at a time.
#include "agent.h"

uint8_t crc8(uint8_t crc, uint8_t byte) {
  crc ^= byte;
  for (uint8_t i = 0; i < 8; i++) crc = (uint8_t)((crc << 1) ^ (crc & 0x80 ? 0x07 : 0));
  return crc;
}

// Polynomial edb88320, of each four bits.
static ROM uint32_t NIBBLES[16] = {
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
  0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t crc32(uint32_t crc, const uint8_t *bytes, uint16_t length) {
  crc = ~crc;
  while (length--) {
    crc ^= *bytes++;
    crc = NIBBLES[crc & 15] ^ crc >> 4;
    crc = NIBBLES[crc & 15] ^ crc >> 4;
  }
  return ~crc;
}
