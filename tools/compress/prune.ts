// 2:4 masks: of every 4 neighbouring columns of a row two weights stay. Rows of a run of `share` keep the same columns.
import { isInteger, isSparse, type Scheme } from "../../runtime/quant/scheme.ts";
import { greatestTwo } from "../../runtime/quant/sparse24.ts";

/** Neighbouring rows that keep the same columns: what a sparse scheme says, 1 for others. */
export const shareOf = (scheme: Scheme): number => (isSparse(scheme) ? scheme.share : 1);

/** Why weights that are pruned cannot be brought into a scheme: zero must be a code of its own. */
export function refusesPruning(scheme: Scheme): string | undefined {
  return isInteger(scheme) && scheme.qmin < 0 ? undefined : "zero is no code of it";
}

/** Masks of rows of k columns, chosen 4 columns at a time. */
export class Mask24 {
  private readonly bits: Uint8Array;
  private readonly groups: number;

  constructor(
    rows: number,
    private readonly k: number,
  ) {
    this.groups = Math.ceil(k / 4);
    this.bits = new Uint8Array(rows * this.groups);
  }

  /** Chooses for rows [first, last) what stays of the 4 columns from `column` on, by the sum of their scores. */
  choose(first: number, last: number, column: number, score: (row: number, column: number) => number): void {
    const width = Math.min(4, this.k - column);
    const sums = [0, 1, 2, 3].map((i) => (i < width ? 0 : Number.NEGATIVE_INFINITY));
    for (let r = first; r < last; r++) for (let i = 0; i < width; i++) sums[i] += score(r, column + i);
    const [a, b] = greatestTwo(sums);
    for (let r = first; r < last; r++) this.bits[r * this.groups + (column >> 2)] = (1 << a) | (1 << b);
  }

  kept(row: number, column: number): boolean {
    return ((this.bits[row * this.groups + (column >> 2)] >> (column & 3)) & 1) === 1;
  }
}

/** Rows w f32 [rows, k] with zeros where nothing stays. Rows [0, share), [share, 2 · share) … keep the same columns. */
export function pruned(w: Float32Array, rows: number, k: number, share: number, score: (weight: number, column: number) => number): Float32Array {
  const mask = new Mask24(rows, k);
  for (let first = 0; first < rows; first += share)
    for (let column = 0; column < k; column += 4) mask.choose(first, Math.min(first + share, rows), column, (r, i) => score(w[r * k + i], i));
  return w.map((v, at) => (mask.kept(Math.floor(at / k), at % k) ? v : 0));
}
