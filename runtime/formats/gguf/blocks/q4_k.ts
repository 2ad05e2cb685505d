// Q4_K: 256 weights in 144 bytes, 8 groups of 32, w = d · s · q − dmin · m.
//   0   f16      d
//   2   f16      dmin
//   4   u8[12]   s and m of each group, see scales.ts
//   16  u8[128]  32 bytes for two groups: low nibbles are q of the first, high nibbles of the second
import { type Block, half } from "./block.ts";
import { minimumOf, scaleOf } from "./scales.ts";

export const Q4_K: Block = {
  name: "Q4_K",
  elements: 256,
  bytes: 144,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 144, to += 256) {
      const d = half(blocks, at);
      const dmin = half(blocks, at + 2);
      for (let group = 0; group < 8; group++) {
        const s = d * scaleOf(blocks, at + 4, group);
        const m = dmin * minimumOf(blocks, at + 4, group);
        const shift = 4 * (group & 1);
        const from = at + 16 + 32 * (group >> 1);
        for (let i = 0; i < 32; i++) out[to + 32 * group + i] = s * ((blocks[from + i] >> shift) & 15) - m;
      }
    }
  },
};
