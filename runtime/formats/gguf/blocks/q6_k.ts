// Q6_K: 256 weights in 210 bytes, 16 groups of 16, w = d · s · (q − 32). Weights lie in halves of 128, each in quarters of 32.
//   0    u8[128]  bits 0 … 3 of q, 64 bytes a half: low nibbles of bytes 0 … 31 are quarter 0, of 32 … 63 quarter 1; high nibbles quarters 2 and 3
//   128  u8[64]   bits 4 and 5 of q, 32 bytes a half: bits 2j and 2j + 1 of byte i belong to weight i of quarter j
//   192  i8[16]   s of each group
//   208  f16      d
import { type Block, half } from "./block.ts";

export const Q6_K: Block = {
  name: "Q6_K",
  elements: 256,
  bytes: 210,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 210, to += 256) {
      const d = half(blocks, at + 208);
      for (let group = 0; group < 16; group++) {
        const s = d * ((blocks[at + 192 + group] << 24) >> 24);
        const quarter = (group >> 1) & 3;
        const odd = 16 * (group & 1);
        const low = at + 64 * (group >> 3) + 32 * (quarter & 1) + odd;
        const high = at + 128 + 32 * (group >> 3) + odd;
        for (let i = 0; i < 16; i++) {
          const q = ((blocks[low + i] >> (4 * (quarter >> 1))) & 15) | (((blocks[high + i] >> (2 * quarter)) & 3) << 4);
          out[to + 16 * group + i] = s * (q - 32);
        }
      }
    }
  },
};
