// Checksums of the framing, each going on from what came before. CRC-8: polynomial 07, begins at 0. CRC-32: that of zip files, begins at 0.

/** @param crc of the bytes before */
export function crc8(bytes: Uint8Array, crc = 0): number {
  for (const b of bytes) {
    crc ^= b;
    for (let i = 0; i < 8; i++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  }
  return crc;
}

const TABLE = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** @param crc of the bytes before */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let c = ~crc;
  for (const b of bytes) c = TABLE[(c ^ b) & 0xff] ^ (c >>> 8);
  return ~c >>> 0;
}
