// Activation format `u7tok`: 7-bit codes 0…127 with a scale and a zero point a row (token). This file is the layout of a row and its reference.
// A code u stands for (u − zero) · scale. Codes that have no sign and 7 bits are what relaxed dot products take beside int8 weights.
// Zero is a code, so that what is zero stays zero. Offsets within a row are those of i8tok:
//
//   bytes [0, 4)          f32 scale (0 for an all-zero row)
//   [4, 8)                i32 zero, 0…127; rest of the first 64 bytes zero
//   [64, 64 + kp)         u8 codes in natural order, kp = k rounded up to 128, padded with `zero`
//   then kp/4 bytes       zero (rounded up to 64)
//   then panel: 2·kp bytes: i16 codes − zero in the order `pairs`, or codes in the order `windows` (PANEL in i8tok.ts); unspecified if panel = none
import type { ActFormat } from "./format.ts";
import { I8TOK, i8tokLayout, nearestEven, PANEL, specifiedBytes, writePanel } from "./i8tok.ts";

export const U7_MAX = 127;

/** Below the least normal f32 a scale counts as 0, so that its reciprocal is finite. */
const LEAST_SCALE = 2 ** -126;

const clamp = (v: number, low: number, high: number) => Math.max(low, Math.min(high, Number.isNaN(v) ? 0 : v));

/**
 * Scale, its reciprocal and zero point of a row. All arithmetic is f32, as in the kernels; lo ≤ 0 ≤ hi are the ends of the row:
 * scale = hi / 127 − lo / 127 (each quotient rounded: finite for all finite rows), zero = nearest-even(−lo / scale).
 * A NaN or an infinity in x makes the scale NaN or infinite and every product with the row NaN, as in i8tok.
 */
function rangeOf(x: Float32Array): { scale: number; inverse: number; zero: number } {
  let lo = 0;
  let hi = 0;
  for (const v of x) {
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  const scale = Math.fround(Math.fround(hi / U7_MAX) - Math.fround(lo / U7_MAX));
  if (scale < LEAST_SCALE) return { scale: 0, inverse: 0, zero: 0 };
  const inverse = Math.fround(1 / scale);
  return { scale, inverse, zero: clamp(nearestEven(Math.fround(-lo * inverse)), 0, U7_MAX) };
}

/** Reference encoder of one row: code = zero + nearest-even(x / scale), clamped to 0…127. */
export function encodeU7tok(x: Float32Array, row: Uint8Array, panel: number): void {
  const at = i8tokLayout(x.length);
  const { scale, inverse, zero } = rangeOf(x);
  const view = new DataView(row.buffer, row.byteOffset, at.bytes);
  row.fill(0, 0, at.panel);
  view.setFloat32(0, scale, true);
  view.setInt32(4, zero, true);
  const centred = new Int8Array(at.kp);
  for (let i = 0; i < x.length; i++) centred[i] = clamp(nearestEven(Math.fround(x[i] * inverse)), -zero, U7_MAX - zero);
  for (let i = 0; i < at.kp; i++) row[at.codes + i] = centred[i] + zero;
  writePanel(view, at, centred, panel);
}

export const format: ActFormat = {
  name: "u7tok",
  panels: [PANEL.none, PANEL.pairs, PANEL.windows],
  bytes: (k) => i8tokLayout(k).bytes,
  specified: specifiedBytes,
  encode: encodeU7tok,
  decode(row, k) {
    const view = new DataView(row.buffer, row.byteOffset);
    const zero = view.getInt32(4, true);
    return { codes: Int16Array.from(row.subarray(I8TOK.header, I8TOK.header + k), (u) => u - zero), scale: view.getFloat32(0, true) };
  },
  fused: true,
  fits: (scheme) => scheme.act === "u7tok" || scheme.sums === true,
};
