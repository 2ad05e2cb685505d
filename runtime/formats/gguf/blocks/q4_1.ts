// Q4_1: 32 weights in 20 bytes, w = d · q + m.
//   0  f16     d
//   2  f16     m
//   4  u8[16]  low nibbles: q of weights 0 … 15, high nibbles: of 16 … 31
import { type Block, half } from "./block.ts";

export const Q4_1: Block = {
  name: "Q4_1",
  elements: 32,
  bytes: 20,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 20, to += 32) {
      const d = half(blocks, at);
      const m = half(blocks, at + 2);
      for (let i = 0; i < 16; i++) {
        const q = blocks[at + 4 + i];
        out[to + i] = (q & 15) * d + m;
        out[to + 16 + i] = (q >> 4) * d + m;
      }
    }
  },
};
