// Sizes that attention's kernels and those who make room for them agree on (assembly/lib/seen.ts, assembly/lib/part.ts).
import { roundup } from "../../num/int.ts";

/** Positions of a block. */
export const BLOCK = 256;

/** Blocks of a context. */
export const blocksOf = (capacity: number): number => Math.ceil(capacity / BLOCK);

/** f32 words of what is known of one head after some positions: m, l, two unused, y [dh rounded up to 16]. */
export const partWords = (dh: number): number => 4 + roundup(dh, 16);

/** f32 words of the scratch memory of a unit: weights, codes, queries, units and two parts for each head of a group. */
export const scratchWords = (heads: number, kvheads: number, dh: number): number => (heads / kvheads) * (BLOCK + BLOCK / 2 + roundup(dh, 16) / 2 + 4 + 2 * partWords(dh));
