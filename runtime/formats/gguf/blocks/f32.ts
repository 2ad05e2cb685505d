// F32: little-endian f32.
import type { Block } from "./block.ts";

export const F32: Block = {
  name: "F32",
  elements: 1,
  bytes: 4,
  decode(blocks, count, out) {
    new Uint8Array(out.buffer, out.byteOffset, count * 4).set(blocks.subarray(0, count * 4));
  },
};
