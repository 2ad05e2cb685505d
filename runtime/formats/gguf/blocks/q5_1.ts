// Q5_1: 32 weights in 24 bytes, w = d · q + m.
//   0  f16     d
//   2  f16     m
//   4  u32     bit i: bit 4 of weight i's q
//   8  u8[16]  low nibbles: bits 0 … 3 of q of weights 0 … 15, high nibbles: of 16 … 31
import { type Block, half } from "./block.ts";

export const Q5_1: Block = {
  name: "Q5_1",
  elements: 32,
  bytes: 24,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 24, to += 32) {
      const d = half(blocks, at);
      const m = half(blocks, at + 2);
      for (let i = 0; i < 16; i++) {
        const q = blocks[at + 8 + i];
        const low = (blocks[at + 4 + (i >> 3)] >> (i & 7)) & 1;
        const high = (blocks[at + 6 + (i >> 3)] >> (i & 7)) & 1;
        out[to + i] = ((q & 15) | (low << 4)) * d + m;
        out[to + 16 + i] = ((q >> 4) | (high << 4)) * d + m;
      }
    }
  },
};
