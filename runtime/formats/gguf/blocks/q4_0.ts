// Q4_0: 32 weights in 18 bytes, w = d · (q − 8).
//   0  f16     d
//   2  u8[16]  low nibbles: q of weights 0 … 15, high nibbles: of 16 … 31
import { type Block, half } from "./block.ts";

export const Q4_0: Block = {
  name: "Q4_0",
  elements: 32,
  bytes: 18,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 18, to += 32) {
      const d = half(blocks, at);
      for (let i = 0; i < 16; i++) {
        const q = blocks[at + 2 + i];
        out[to + i] = ((q & 15) - 8) * d;
        out[to + 16 + i] = ((q >> 4) - 8) * d;
      }
    }
  },
};
