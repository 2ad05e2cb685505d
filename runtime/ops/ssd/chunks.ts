// When a scan of Mamba-2 goes by chunks of rows, and the scratch memory that takes; kernels: assembly/lib/chunk.scalar.ts.
import { BLOCK_ROWS } from "../../quant/scheme.ts";
import type { Attributes } from "../define.ts";

/** Rows of a chunk. */
export const CHUNK = 16;

/** States from which on products cost no more than single rows: a row of a channel takes 4 · states + CHUNK multiplications and additions instead of 5 · states. */
const LEAST_STATES = CHUNK;

/** Heads that share the products of a chunk, at least, where there are as many. */
const HEADS = 4;

/** Does a step of at most so many rows go by chunks? */
export const inChunks = (a: Attributes, rows: number): boolean => rows >= CHUNK && a.dh % BLOCK_ROWS === 0 && a.states % 2 === 0 && a.states >= LEAST_STATES;

/** Pieces of a step by chunks. */
export const chunkPieces = (a: Attributes): number => Math.ceil(a.heads / HEADS);

/** f32 words of the scratch memory of a unit: products and weights [CHUNK, CHUNK]; δ, what is left, exponents (f64) and what is kept; b [states, CHUNK]; x [CHUNK, dh]. */
export const scratchWords = ({ dh, states }: Attributes): number => CHUNK * (2 * CHUNK + 5 + states + dh);
