// q4n: int4 codes −8…7, one f32 scale a row, rows contiguous: 4 bits a weight and 4 bytes a row. Made for feed-forward layers whose rows are
// neurons, of which a step may want a few: a row lies in kp/2 bytes of its own, so that rows nobody wants are never fetched.
// A block of 16 rows: 16 f32 scales, then 16 rows of kp/2 bytes, kp = k rounded up to 32. Byte i of each 16 of a row holds code(i) + 8 of its
// 32 codes in the low nibble and code(i + 16) + 8 in the high one. Sums are kept in 32 bits, so k may be 2 000 000 at most.
import { roundup } from "../num/int.ts";
import { chooseScale, roundCodes, scaled } from "./lanes.ts";
import { BLOCK_ROWS, type IntegerScheme } from "./scheme.ts";

const QMIN = -8;
const QMAX = 7;
const HEAD = 4 * BLOCK_ROWS;
/** Half of a run of codes whose nibbles share bytes. */
const RUN = 16;

/** As for groups of 32, and harder clips: the greatest of a long row is further out. */
const DIVISORS = [7, 7.5, 8, 8.5, 9, 9.5, 10, 11, 12, 14, 6.5, 6] as const;

/** Bytes of a row's codes. */
export const rowBytes = (k: number): number => roundup(k, 2 * RUN) / 2;

const blockBytes = (k: number) => HEAD + BLOCK_ROWS * rowBytes(k);
const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * blockBytes(k);
const scaleAt = (r: number, k: number) => (r >> 4) * blockBytes(k) + 4 * (r & 15);
/** Where the codes of row r begin. */
export const rowOffset = (r: number, k: number): number => (r >> 4) * blockBytes(k) + HEAD + (r & 15) * rowBytes(k);
const scaleOf = (w: Float32Array, from: number, k: number) => chooseScale(w, from, k, DIVISORS, QMIN, QMAX);

function pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let r = 0; r < roundup(rows, BLOCK_ROWS); r++) {
    view.setFloat32(scaleAt(r, k), r < rows ? scales[r] : 0, true);
    const code = (i: number) => (r < rows && i < k ? codes[r * k + i] : 0) - QMIN;
    for (let b = 0; b < rowBytes(k); b++) {
      const i = b + RUN * Math.floor(b / RUN);
      out[rowOffset(r, k) + b] = code(i) | (code(i + RUN) << 4);
    }
  }
}

function unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array } {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const codes = new Int8Array(rows * k);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    scales[r] = view.getFloat32(scaleAt(r, k), true);
    for (let i = 0; i < k; i++) {
      const byte = packed[rowOffset(r, k) + RUN * Math.floor(i / (2 * RUN)) + (i % RUN)];
      codes[r * k + i] = (i & RUN ? byte >> 4 : byte & 15) + QMIN;
    }
  }
  return { codes, scales };
}

function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const codes = new Int8Array(BLOCK_ROWS * k);
  const scales = new Float32Array(BLOCK_ROWS);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const here = Math.min(BLOCK_ROWS, rows - first);
    for (let r = 0; r < here; r++) {
      scales[r] = scaleOf(w, (first + r) * k, k);
      roundCodes(w, (first + r) * k, k, scales[r], QMIN, QMAX, codes, r * k);
    }
    pack(codes, scales, here, k, out.subarray(bytes(first, k), bytes(first + here, k)));
  }
}

/** Copies `rows` of a packed matrix, k wide, to the first rows of another one. */
export function copyRows(from: Uint8Array, to: Uint8Array, rows: Uint32Array, k: number): void {
  const bytes = rowBytes(k);
  rows.forEach((row, i) => {
    const [scale, codes] = [scaleAt(row, k), rowOffset(row, k)];
    to.set(from.subarray(scale, scale + 4), scaleAt(i, k));
    to.set(from.subarray(codes, codes + bytes), rowOffset(i, k));
  });
}

export const scheme: IntegerScheme = {
  name: "q4n",
  version: 1,
  group: 0,
  act: "i8tok",
  qmin: QMIN,
  qmax: QMAX,
  bytes,
  encode,
  decode: (packed, rows, k) => scaled(unpack(packed, rows, k), rows, k, k),
  scaleOf: (w) => scaleOf(w, 0, w.length),
  pack,
  unpack,
};
