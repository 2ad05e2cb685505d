// Sizes that attention's kernels and those who make room for them agree on (assembly/lib/seen.ts, assembly/lib/part.ts).
import { roundup } from "../../num/int.ts";

/** Positions of a block. */
export const BLOCK = 256;

/** Blocks of a context. */
export const blocksOf = (capacity: number): number => Math.ceil(capacity / BLOCK);

/** f32 words of what is known of one head after some positions: m, l, two unused, y [dh rounded up to 16]. */
export const partWords = (dh: number): number => 4 + roundup(dh, 16);

/** Query heads of the rows that a unit takes together (assembly/lib/attendrows.simd.ts). */
const QUERIES = 24;
/** Positions of a tile of widened keys or values. */
const TILE = 16;

/** Rows of a tile: those whose query heads make about QUERIES. */
export const tileRows = (heads: number, kvheads: number): number => Math.max(1, Math.floor((QUERIES * kvheads) / heads));

/** Sums of whole numbers of three heads. */
const SUMS = 3 * 16;

/** f32 words of the scratch memory of a unit that takes one row: weights, codes, queries, units and two parts for each head of a group, and sums. */
const oneRowWords = (group: number, dh: number): number => group * (BLOCK + BLOCK / 2 + roundup(dh, 16) / 2 + 4 + 2 * partWords(dh)) + SUMS;

/** The same of one that takes a tile of rows: weights, query and two parts for each head of each row, and the tile. */
const tileWords = (queries: number, dh: number): number => queries * (BLOCK + roundup(dh, 16) + 2 * partWords(dh)) + TILE * roundup(dh, 16);

/** f32 words of the scratch memory of a unit of a step with at most so many rows. */
export function scratchWords(heads: number, kvheads: number, dh: number, rows: number): number {
  const one = oneRowWords(heads / kvheads, dh);
  return rows > 1 ? Math.max(one, tileWords((tileRows(heads, kvheads) * heads) / kvheads, dh)) : one;
}
