// An activation format: how rows of x [rows, k] lie in memory once they are quantised, and what they stand for. One file a format.
// A graph and a recipe name it beside the weight scheme; no build may change it, and every build writes and multiplies it to the same bits.
import type { Scheme } from "../quant/scheme.ts";

/** A row stands for codes · scale, and where there are `groups` for codes · the scale of their group · scale. */
export interface Decoded {
  /** The integers [k] that linears multiply with. */
  readonly codes: Int16Array;
  readonly scale: number;
  /** A scale for each 32 codes, the last of which may be fewer. */
  readonly groups?: Float32Array;
}

export interface ActFormat {
  readonly name: string;
  /** What it can put behind the codes for kernels that want it (PANEL in i8tok.ts). */
  readonly panels: readonly number[];
  /** The format whose rows and kernels it has, with a range that is known beforehand; absent: its own. */
  readonly rows?: string;
  /** Rows are multiplied by a Hadamard matrix before they are quantised, and so are rows of weights (runtime/num/hadamard.ts). */
  readonly rotated?: boolean;
  /** Bytes of one row. */
  bytes(k: number): number;
  /** Bytes at the start of a row that are specified; what follows is scratch of whoever writes it. */
  specified(k: number, panel: number): number;
  /**
   * Reference encoder of one row, x f32 [k]. `panel`: one of `panels`. `range`: the magnitude that gets the greatest code, whatever stands in x;
   * only formats whose rows a static one has know it.
   */
  encode(x: Float32Array, row: Uint8Array, panel: number, range?: number): void;
  decode(row: Uint8Array, k: number): Decoded;
  /** Do norms and activations have kernels that write it? If not, a step of its own does. */
  readonly fused: boolean;
  /** Can weights of this scheme be multiplied with it? There are kernels for every pair that fits. */
  fits(scheme: Scheme): boolean;
}
