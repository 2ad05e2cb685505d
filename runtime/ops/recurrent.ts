// What ops with a state share: their steps are cut by channels, as each token needs the one before it; int8 variants read rows of i8static.
import { ACTS } from "../act/catalogue.gen.ts";
import { BLOCK_ROWS } from "../quant/scheme.ts";
import type { Attributes, OperandArray } from "./define.ts";

/** Blocks of 16 channels. */
export const channelBlocks = (a: Attributes): number => Math.ceil(a.channels / BLOCK_ROWS);

/** Rows that a reference reads as numbers, each with the scale its codes are multiplied by: f32 rows, or rows of i8static. */
export function rowsOf(t: OperandArray, stride: number, rows: number, k: number, variant: string): { codes: ArrayLike<number>; scale: number }[] {
  return Array.from({ length: rows }, (_, r) =>
    variant === "f32"
      ? { codes: (t as Float32Array).subarray(r * stride, r * stride + k), scale: 1 }
      : ACTS.i8static.decode((t as Uint8Array).subarray(r * stride, (r + 1) * stride), k),
  );
}
