// A weight scheme: how a matrix W [n, k] of f32 is stored, and what the stored bytes mean. One file a scheme; `decode` is the oracle.
// Every packed layout is made of blocks of 16 rows (n is padded with zero rows), so that a block of rows is a contiguous run of bytes and
// any run of blocks may be handed to a thread. Lanes of a vector are rows: see research note in ARCHITECTURE.md, "Packed weights".

export const BLOCK_ROWS = 16;

export interface Scheme {
  readonly name: string;
  /** Version of the packed layout; files written with another one are refused. */
  readonly version: number;
  /** Weights sharing a scale along k; 0 = the whole row, undefined = no scale. */
  readonly group?: number;
  /** Activation format it is multiplied with unless a recipe names another: `f32`, or one of runtime/act that fits. */
  readonly act: string;
  /** The packed layout holds the sum of each row's codes, which activations with a zero point need. */
  readonly sums?: true;
  /** Rows of w and of activations are arranged by columns (runtime/graph/columns.ts) that linears of one input share; no embedding has it. */
  readonly arranged?: true;
  /** Bytes of a packed [n, k] matrix (n rounded up to BLOCK_ROWS). */
  bytes(n: number, k: number): number;
  /** Round-to-nearest: packs rows [row, row + rows) of W; w f32 [rows, k], rows a multiple of BLOCK_ROWS or the last ones of the matrix; out = that run of blocks. */
  encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void;
  /** What the packed bytes stand for: f32 [rows, k]. */
  decode(packed: Uint8Array, rows: number, k: number): Float32Array;
}

/** A scheme with integer codes, for methods that choose the codes themselves (GPTQ …). */
export interface IntegerScheme extends Scheme {
  readonly group: number;
  readonly qmin: number;
  readonly qmax: number;
  /** Scale of one group of weights after the rounding the file format imposes. */
  scaleOf(group: Float32Array): number;
  /** Packs codes int8 [rows, k] with scales f32 [rows, groups] (already representable). */
  pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array): void;
  /** Inverse of `pack`. */
  unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array };
}

/** Integer codes of which two of every four along k are kept (sparse24.ts). Codes are those of all k; where nothing is kept they are 0. */
export interface SparseScheme extends IntegerScheme {
  /** Neighbouring rows that keep the same k. */
  readonly share: 1 | 8;
  /**
   * `kept` u8 [rows, 2·⌈k/4⌉]: the two places in each 4 that are kept, ascending, equal for rows that share; default: where codes are not 0.
   * Throws `format.shape` where that is more than two.
   */
  pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array, kept?: Uint8Array): void;
  unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array; kept: Uint8Array };
}

/** Integer codes with a scale and a minimum a group, w = scale · code + minimum: two f32 operations, each rounded. */
export interface MinimumScheme extends Scheme {
  readonly group: number;
  readonly qmin: number;
  readonly qmax: number;
  /** Scale and minimum of one group of weights, as `encode` chooses them. */
  rangeOf(group: Float32Array): Range;
  /** Packs codes int8 [rows, k] with scales and minima f32 [rows, groups]. */
  pack(codes: Int8Array, scales: Float32Array, minima: Float32Array, rows: number, k: number, out: Uint8Array): void;
  /** Inverse of `pack`. */
  unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array; minima: Float32Array };
}

export interface Range {
  readonly scale: number;
  readonly minimum: number;
}

export const isInteger = (s: Scheme): s is IntegerScheme => "scaleOf" in s;
export const isSparse = (s: Scheme): s is SparseScheme => "share" in s;
export const hasMinimum = (s: Scheme): s is MinimumScheme => "rangeOf" in s;
