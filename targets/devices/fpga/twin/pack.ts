// How weights lie in the memory of weights: a row's words one behind the other, pairs of rows interleaved, exactly as rtl/lanes.v takes them.
// k is padded with code zero to whole rows of 16 activations.
//   dense    step j: lane i has k = 16 · ⌊j / 2⌋ + 4 · ⌊i / 2⌋ + 2 · (j mod 2) + i mod 2
//   2:4      step j: lanes 2q and 2q + 1 have the two weights kept of k = 16 · j + 4q … 4q + 3; the choices, two bits a lane, of four steps (int8)
//            or of two steps of both rows (int4) lie in a word before them
import { SkintError } from "../../../../runtime/errors.ts";
import { isPaired, isSparse, type Mode } from "./layer.ts";

export const LANES = 8;
export const ROW_CODES = 16;

/** Steps a row of k weights takes. */
export const stepsOf = (mode: Mode, k: number): number => (isSparse(mode) ? 1 : 2) * Math.ceil(k / ROW_CODES);

/** Steps whose choices lie in one word. */
const stepsAWord = (mode: Mode): number => (mode === "int8s24" ? 4 : 2);

/** Words a row takes, or a pair of rows. */
export const wordsOf = (mode: Mode, steps: number): number => steps + (isSparse(mode) ? Math.ceil(steps / stepsAWord(mode)) : 0);

/** Which of the sixteen activations lane i sees in half h of a row. */
export const denseLane = (i: number, h: number): number => 4 * (i >> 1) + 2 * h + (i & 1);

export interface Packed {
  readonly mode: Mode;
  /** With the row of zeros that makes the last pair whole. */
  readonly rows: number;
  readonly steps: number;
  readonly words: Uint8Array;
}

/**
 * codes int8 [rows, k], of int4 −8 … 7; with 2:4 `kept` u8 [rows, 2·⌈k/4⌉], the two places in each 4 that are kept (runtime/quant/scheme.ts).
 * Throws `usage` for codes that do not fit or a `kept` that is missing.
 */
export function packRows(mode: Mode, codes: Int8Array, rows: number, k: number, kept?: Uint8Array): Packed {
  if (isSparse(mode) !== (kept !== undefined)) throw new SkintError("usage", `weights of mode ${mode} ${kept ? "keep every place" : "need the places that are kept"}`);
  if (isPaired(mode) && codes.some((c) => c < -8 || c > 7)) throw new SkintError("usage", "int4 weights are −8 … 7; give codes in that range, or mode int8");
  const steps = stepsOf(mode, k);
  const perWord = stepsAWord(mode);
  const height = isPaired(mode) ? 2 : 1;
  const out = new Uint8Array(8 * wordsOf(mode, steps) * Math.ceil(rows / height));
  const code = (r: number, at: number) => (r < rows && at < k ? codes[r * k + at] : 0);
  /** Place, of the sixteen of its row of activations, and lane i's weight in step j of row r. */
  const place = (r: number, j: number, i: number): number => {
    if (!kept) return denseLane(i, j & 1);
    const at = 2 * Math.ceil(k / 4) * r + 8 * j + i;
    const group = 4 * j + (i >> 1);
    return 4 * (i >> 1) + (r < rows && group < Math.ceil(k / 4) ? kept[at] : i & 1);
  };
  const base = (j: number) => ROW_CODES * (kept ? j : j >> 1);
  let at = 0;
  for (let r = 0; r < rows; r += height)
    for (let j = 0; j < steps; j++) {
      if (kept && j % perWord === 0) {
        for (let c = 0; c < perWord * height; c++)
          for (let i = 0; i < LANES; i++) {
            const choice = place(r + (c % height), j + Math.floor(c / height), i) & 3;
            out[at + 2 * c + (i >> 2)] |= choice << (2 * (i & 3));
          }
        at += 8;
      }
      for (let i = 0; i < LANES; i++) {
        const one = code(r, base(j) + place(r, j, i));
        out[at++] = height === 1 ? one : (one & 15) | (code(r + 1, base(j) + place(r + 1, j, i)) << 4);
      }
    }
  return { mode, rows: Math.ceil(rows / height) * height, steps, words: out };
}
