// q8: int8 codes −127…127, one f32 scale (absmax / 127) a row. A block of 16 rows: 16 f32 scales, 16 i32 sums of the row's codes, then
// [kp/4][16 rows][4 k] int8, kp = k rounded up to 32. Sums are kept in 32 bits, so k may be 133 000 at most.
import { roundup } from "../num/int.ts";
import { absmax, BYTES, roundCodes, rowSum, scaled } from "./lanes.ts";
import { BLOCK_ROWS, type IntegerScheme } from "./scheme.ts";

const Q = 127;
const SUMS = 4 * BLOCK_ROWS;
const HEAD = 2 * SUMS;

const padded = (k: number) => roundup(k, 32);
const blockBytes = (k: number) => HEAD + BYTES.bytesPerGroup(padded(k));
const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * blockBytes(k);

const rowScale = (w: Float32Array, from: number, k: number) => Math.fround(absmax(w, from, k) / Q);

function pack(codes: Int8Array, scales: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let r = 0; r < roundup(rows, BLOCK_ROWS); r++) {
    const at = (r >> 4) * blockBytes(k);
    const lane = 4 * (r & 15);
    view.setFloat32(at + lane, r < rows ? scales[r] : 0, true);
    view.setInt32(at + SUMS + lane, r < rows ? rowSum(codes, r * k, k) : 0, true);
    BYTES.put(codes, r * k, r < rows ? k : 0, padded(k), out, at + HEAD + lane);
  }
}

function unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array } {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const codes = new Int8Array(rows * k);
  const scales = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const at = (r >> 4) * blockBytes(k);
    const lane = 4 * (r & 15);
    scales[r] = view.getFloat32(at + lane, true);
    BYTES.get(packed, at + HEAD + lane, k, codes, r * k);
  }
  return { codes, scales };
}

function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const codes = new Int8Array(BLOCK_ROWS * k);
  const scales = new Float32Array(BLOCK_ROWS);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const here = Math.min(BLOCK_ROWS, rows - first);
    for (let r = 0; r < here; r++) {
      scales[r] = rowScale(w, (first + r) * k, k);
      roundCodes(w, (first + r) * k, k, scales[r], -Q, Q, codes, r * k);
    }
    pack(codes, scales, here, k, out.subarray(bytes(first, k), bytes(first + here, k)));
  }
}

export const scheme: IntegerScheme = {
  name: "q8",
  version: 2,
  group: 0,
  act: "i8tok",
  sums: true,
  qmin: -Q,
  qmax: Q,
  bytes,
  encode,
  decode: (packed, rows, k) => scaled(unpack(packed, rows, k), rows, k, k),
  scaleOf: (w) => rowScale(w, 0, w.length),
  pack,
  unpack,
};
