// Q5_0: 32 weights in 22 bytes, w = d · (q − 16).
//   0  f16     d
//   2  u32     bit i: bit 4 of weight i's q
//   6  u8[16]  low nibbles: bits 0 … 3 of q of weights 0 … 15, high nibbles: of 16 … 31
import { type Block, half } from "./block.ts";

export const Q5_0: Block = {
  name: "Q5_0",
  elements: 32,
  bytes: 22,
  decode(blocks, count, out) {
    for (let b = 0, at = 0, to = 0; b < count; b++, at += 22, to += 32) {
      const d = half(blocks, at);
      for (let i = 0; i < 16; i++) {
        const q = blocks[at + 6 + i];
        const low = (blocks[at + 2 + (i >> 3)] >> (i & 7)) & 1;
        const high = (blocks[at + 4 + (i >> 3)] >> (i & 7)) & 1;
        out[to + i] = (((q & 15) | (low << 4)) - 16) * d;
        out[to + 16 + i] = (((q >> 4) | (high << 4)) - 16) * d;
      }
    }
  },
};
