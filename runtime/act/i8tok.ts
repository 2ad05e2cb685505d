// Activation format `i8tok`: int8 codes −127…127, symmetric, one scale a row (token). This file is the layout of a row and its reference.
//
//   bytes [0, 4)          f32 scale = absmax / 127 (0 for an all-zero row), rest of the first 64 bytes zero
//   [64, 64 + kp)         int8 codes in natural order, kp = k rounded up to 128, padded with 0
//   then z: kp/32 words   two i16: lo = −8·Σ codes with k mod 4 ∈ {0,1}, hi = −8·Σ codes with k mod 4 ∈ {2,3} of each group of 32;
//                         the zero point of nibbles stored as code + 8, in the pair order of the i8×i7 dot product
//   then kp/8 bytes       zero: i8g32 has words twice as long, and the panel of both is in the same place
//   then panel: 2·kp bytes: what a kernel reads instead of the codes (PANEL, below); unspecified if panel = none.
//                         4·kp bytes are reserved: they double as the f32 row while a fused norm or activation is being quantised
import { roundup } from "../num/int.ts";
import { K_AT, WINDOW } from "../quant/sparse24.ts";
import type { ActFormat } from "./format.ts";

export const I8TOK = { header: 64, align: 128 } as const;

/** Attribute `panel` of the ops that write rows of activations. */
export const PANEL = {
  none: 0,
  /** for each 4 k: x0 x2 x1 x3 */
  pairs: 1,
  /** for each 8 k: x0·256 x2·256 x4·16 x6·16 x1 x3 x5·256 x7·256 */
  q4: 2,
  /** for each window of 8 k 16 bytes: its codes, without a sign in u7tok, in the order of K_AT (runtime/quant/sparse24.ts) */
  windows: 3,
} as const;

export interface I8tokLayout {
  readonly kp: number;
  readonly codes: number;
  readonly z: number;
  readonly panel: number;
  readonly bytes: number;
}

/** Byte offsets inside one row of k activations, and its length in bytes. */
export function i8tokLayout(k: number): I8tokLayout {
  const kp = roundup(k, I8TOK.align);
  const z = I8TOK.header + kp;
  const panel = z + roundup(kp / 4, 64);
  return { kp, codes: I8TOK.header, z, panel, bytes: panel + 4 * kp };
}

/** Half to even, as f32.nearest does. */
export function nearestEven(v: number): number {
  const r = Math.round(v);
  return r - v === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

const PANEL_ORDER: Record<number, { step: number; order: number[]; times: number[] }> = {
  [PANEL.pairs]: { step: 4, order: [0, 2, 1, 3], times: [1, 1, 1, 1] },
  [PANEL.q4]: { step: 8, order: [0, 2, 4, 6, 1, 3, 5, 7], times: [256, 256, 16, 16, 1, 1, 256, 256] },
};

/**
 * x f32 → as many codes; returns their scale. All arithmetic is f32, as in the kernels:
 * absmax is `range` if that is given and x is finite; inv = 127 / absmax, code = nearest-even(x · inv), scale = absmax / 127; clamped to ±127.
 */
export function encodeCodes(x: Float32Array, codes: Int8Array, range?: number): number {
  let amax = 0;
  for (const v of x) amax = Math.max(amax, Math.abs(v));
  if (range !== undefined && Number.isFinite(amax)) amax = range;
  const inv = amax === 0 ? 0 : Math.fround(127 / amax);
  for (let i = 0; i < x.length; i++) codes[i] = Math.max(-127, Math.min(127, nearestEven(Math.fround(x[i] * inv))));
  return Math.fround(amax / 127);
}

/** Reference encoder of one row: x f32 [k] → row bytes. */
export function encodeI8tok(x: Float32Array, row: Uint8Array, panel: number, range?: number): void {
  const at = i8tokLayout(x.length);
  const view = new DataView(row.buffer, row.byteOffset, at.bytes);
  row.fill(0, 0, at.panel);
  const codes = new Int8Array(row.buffer, row.byteOffset + at.codes, at.kp);
  view.setFloat32(0, encodeCodes(x, codes, range), true);
  writeZeroPoints(view, at, codes, 4);
  writePanel(view, at, codes, panel);
}

/** The words z of a row that has its codes, one each `step` bytes. */
export function writeZeroPoints(row: DataView, at: I8tokLayout, codes: Int8Array, step: number): void {
  for (let g = 0; g < at.kp / 32; g++) {
    const sums = [0, 0];
    for (let i = 0; i < 32; i++) sums[(i >> 1) & 1] += codes[32 * g + i];
    row.setInt16(at.z + step * g, -8 * sums[0], true);
    row.setInt16(at.z + step * g + 2, -8 * sums[1], true);
  }
}

/** The panel of a row that has its codes; i16 lanes hold `codes`, int8 [kp], which in u7tok are those less the zero point. */
export function writePanel(row: DataView, at: I8tokLayout, codes: Int8Array, panel: number): void {
  if (panel === PANEL.windows) for (let i = 0; i < 2 * at.kp; i++) row.setUint8(at.panel + i, row.getUint8(at.codes + WINDOW * (i >> 4) + K_AT[i & 15]));
  const p = PANEL_ORDER[panel];
  if (p) for (let i = 0; i < at.kp; i++) row.setInt16(at.panel + 2 * i, codes[i - (i % p.step) + p.order[i % p.step]] * p.times[i % p.step], true);
}

/** Bytes of a row before the panel, and of the panel if there is one. */
export function specifiedBytes(k: number, panel: number): number {
  const at = i8tokLayout(k);
  return at.panel + (panel === PANEL.none ? 0 : 2 * at.kp);
}

export const format: ActFormat = {
  name: "i8tok",
  panels: Object.values(PANEL),
  bytes: (k) => i8tokLayout(k).bytes,
  specified: specifiedBytes,
  encode: encodeI8tok,
  decode: (row, k) => ({
    codes: Int16Array.from(new Int8Array(row.buffer, row.byteOffset + I8TOK.header, k)),
    scale: new DataView(row.buffer, row.byteOffset).getFloat32(0, true),
  }),
  fused: true,
  fits: (scheme) => scheme.act === "i8tok",
};
