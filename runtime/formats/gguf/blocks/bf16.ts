// BF16: the upper half of a little-endian f32.
import { bf16ArrayToF32 } from "../../../num/half.ts";
import type { Block } from "./block.ts";

export const BF16: Block = {
  name: "BF16",
  elements: 1,
  bytes: 2,
  decode(blocks, count, out) {
    const halves = new Uint16Array(out.buffer, out.byteOffset + count * 2, count);
    new Uint8Array(halves.buffer, halves.byteOffset, count * 2).set(blocks.subarray(0, count * 2));
    bf16ArrayToF32(halves, out);
  },
};
