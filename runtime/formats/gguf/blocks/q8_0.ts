// Q8_0: 32 weights in 34 bytes, w = d · q.
//   0  f16     d
//   2  i8[32]  q
import { type Block, half } from "./block.ts";

export const Q8_0: Block = {
  name: "Q8_0",
  elements: 32,
  bytes: 34,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 34, to += 32) {
      const d = half(blocks, at);
      for (let i = 0; i < 32; i++) out[to + i] = ((blocks[at + 2 + i] << 24) >> 24) * d;
    }
  },
};
