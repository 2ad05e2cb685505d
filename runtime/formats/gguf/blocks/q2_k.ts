// Q2_K: 256 weights in 84 bytes, 16 groups of 16, w = d · s · q − dmin · m.
//   0   u8[16]  of each group: s in the low nibble, m in the high one
//   16  u8[64]  q, two bits each: bits 2j and 2j + 1 of byte i hold weight 32·j + i of the first 128 weights (i < 32) and of the second (i ≥ 32)
//   80  f16     d
//   82  f16     dmin
import { type Block, half } from "./block.ts";

export const Q2_K: Block = {
  name: "Q2_K",
  elements: 256,
  bytes: 84,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 84, to += 256) {
      const d = half(blocks, at + 80);
      const dmin = half(blocks, at + 82);
      for (let group = 0; group < 16; group++) {
        const s = d * (blocks[at + group] & 15);
        const m = dmin * (blocks[at + group] >> 4);
        const shift = group & 6;
        const from = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
        for (let i = 0; i < 16; i++) out[to + 16 * group + i] = s * ((blocks[from + i] >> shift) & 3) - m;
      }
    }
  },
};
