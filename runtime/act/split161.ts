// Activation format `split161`, for q161: the salient columns and the others in int8 −127…127, each with a scale of its own, as the salient ones
// are far greater. Rows come arranged (runtime/graph/columns.ts). This file is the layout of a row and its reference; every part is padded with
// zeros to a multiple of 64 bytes.
//
//   head        f32 scale of the others, f32 scale of the salient ones, i32 sum of the codes of each in this order
//   salient     their int8 codes
//   binary      the int8 codes of the others, padded to a multiple of 32
//   z           for each 64 salient codes two i16: −8·Σ of those with k mod 4 ∈ {0,1}, −8·Σ of those with k mod 4 ∈ {2,3}
//   panel       unless panel = none: first the salient codes, then the others, as i16, for each 4 of them x0 x2 x1 x3. Twice as much is reserved: it
//               is where the arranged row stands, as f32, while it is being quantised
import { roundup } from "../num/int.ts";
import { splitOf } from "../quant/q161.ts";
import type { ActFormat } from "./format.ts";
import { nearestEven, PANEL } from "./i8tok.ts";

export function split161Layout(k: number) {
  const { salient, binary } = splitOf(k);
  const padded = roundup(binary, 32);
  const at = { salient: 64, binary: 64 + roundup(salient, 64), padded };
  const z = at.binary + roundup(padded, 64);
  const panel = z + roundup(Math.ceil(salient / 64) * 4, 64);
  return { ...at, z, panel, bytes: panel + roundup(4 * (salient + padded) + 32, 64) };
}

/** As i8tok: inverse = 127 / absmax, code = nearest-even(x · inverse) clamped to ±127, scale = absmax / 127; all f32. */
function quantise(x: Float32Array, codes: Int8Array): { scale: number; sum: number } {
  let amax = 0;
  for (const v of x) amax = Math.max(amax, Math.abs(v));
  const inverse = amax === 0 ? 0 : Math.fround(127 / amax);
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    codes[i] = Math.max(-127, Math.min(127, nearestEven(Math.fround(x[i] * inverse))));
    sum += codes[i];
  }
  return { scale: Math.fround(amax / 127), sum };
}

function encode(x: Float32Array, row: Uint8Array, panel: number): void {
  const at = split161Layout(x.length);
  const { salient } = splitOf(x.length);
  const view = new DataView(row.buffer, row.byteOffset, at.bytes);
  row.fill(0, 0, at.panel);
  const first = new Int8Array(row.buffer, row.byteOffset + at.salient, salient);
  const others = new Int8Array(row.buffer, row.byteOffset + at.binary, at.padded);
  [quantise(x.subarray(salient), others), quantise(x.subarray(0, salient), first)].forEach(({ scale, sum }, i) => {
    view.setFloat32(4 * i, scale, true);
    view.setInt32(8 + 4 * i, sum, true);
  });
  first.forEach((code, i) => {
    const z = at.z + 4 * (i >> 6) + (i & 2);
    view.setInt16(z, view.getInt16(z, true) - 8 * code, true);
  });
  if (panel === PANEL.none) return;
  [...first, ...others].forEach((_, i, codes) => void view.setInt16(at.panel + 2 * i, codes[(i & ~3) + [0, 2, 1, 3][i & 3]], true));
}

/** What a row holds for k columns. */
export function decodeSplit161(row: Uint8Array, k: number) {
  const at = split161Layout(k);
  const { salient, binary } = splitOf(k);
  const view = new DataView(row.buffer, row.byteOffset);
  return {
    binary: new Int8Array(row.buffer, row.byteOffset + at.binary, binary),
    salient: new Int8Array(row.buffer, row.byteOffset + at.salient, salient),
    binaryScale: view.getFloat32(0, true),
    salientScale: view.getFloat32(4, true),
  };
}

export const format: ActFormat = {
  name: "split161",
  panels: [PANEL.none, PANEL.pairs],
  bytes: (k) => split161Layout(k).bytes,
  specified(k, panel) {
    const at = split161Layout(k);
    return at.panel + (panel === PANEL.none ? 0 : 2 * (splitOf(k).salient + at.padded));
  },
  encode,
  decode(row, k) {
    const { salient, binary, binaryScale } = decodeSplit161(row, k);
    return { codes: Int16Array.of(...salient, ...binary), scale: binaryScale };
  },
  fused: false,
  fits: (scheme) => scheme.act === "split161",
};
