// Q3_K: 256 weights in 110 bytes, 16 groups of 16, w = d · (s − 32) · (q − 4).
//   0    u8[32]  bit j of byte i: bit 2 of q of weight 32·j + i
//   32   u8[64]  bits 0 and 1 of q: bits 2j and 2j + 1 of byte i hold weight 32·j + i of the first 128 weights (i < 32) and of the second (i ≥ 32)
//   96   u8[8]   low nibbles: bits 0 … 3 of s of groups 0 … 7, high nibbles: of 8 … 15
//   104  u8[4]   bits 2j and 2j + 1 of byte i: bits 4 and 5 of s of group 4·j + i
//   108  f16     d
import { type Block, half } from "./block.ts";

export const Q3_K: Block = {
  name: "Q3_K",
  elements: 256,
  bytes: 110,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 110, to += 256) {
      const d = half(blocks, at + 108);
      for (let group = 0; group < 16; group++) {
        const low = (blocks[at + 96 + (group & 7)] >> (4 * (group >> 3))) & 15;
        const high = (blocks[at + 104 + (group & 3)] >> (2 * (group >> 2))) & 3;
        const s = d * ((low | (high << 4)) - 32);
        const shift = group & 6;
        const bit = group >> 1;
        const masks = at + 16 * (group & 1);
        const from = at + 32 + 32 * (group >> 3) + 16 * (group & 1);
        for (let i = 0; i < 16; i++) {
          const q = ((blocks[from + i] >> shift) & 3) | (((blocks[masks + i] >> bit) & 1) << 2);
          out[to + 16 * group + i] = s * (q - 4);
        }
      }
    }
  },
};
