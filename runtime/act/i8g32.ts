// Activation format `i8g32`: int8 codes −127…127, symmetric, one scale for each 32 values, so that a great value takes resolution from 31 others and
// not from the whole token. Weights in groups of 32 are multiplied with it: what a group adds to a sum is scaled before. This file is the layout of a
// row and its reference; offsets within a row are those of i8tok, whose words z are twice as long here:
//
//   bytes [0, 4)          f32 1, or NaN if anything in the row is not finite; rest of the first 64 bytes zero
//   [64, 64 + kp)         int8 codes in natural order, kp = k rounded up to 128, padded with 0
//   then z: for each 32   the two i16 of i8tok, then f32 scale = absmax / 127 of the group (0 where that is not finite, and beyond k)
//   then panel            as in i8tok
import type { ActFormat } from "./format.ts";
import { encodeCodes, format as i8tok, i8tokLayout, PANEL, writePanel, writeZeroPoints } from "./i8tok.ts";

const GROUP = 32;

/** Bytes of z for a group, and where in them its scale is. */
const WORDS = 8;
const SCALE_AT = 4;

/** Reference encoder of one row: each group as i8tok encodes a row. */
function encode(x: Float32Array, row: Uint8Array, panel: number): void {
  const at = i8tokLayout(x.length);
  const view = new DataView(row.buffer, row.byteOffset, at.bytes);
  row.fill(0, 0, at.panel);
  const codes = new Int8Array(row.buffer, row.byteOffset + at.codes, at.kp);
  view.setFloat32(0, x.every(Number.isFinite) ? 1 : Number.NaN, true);
  for (let i = 0; i < x.length; i += GROUP) {
    const scale = encodeCodes(x.subarray(i, i + GROUP), codes.subarray(i, i + GROUP));
    view.setFloat32(at.z + WORDS * (i / GROUP) + SCALE_AT, Number.isFinite(scale) ? scale : 0, true);
  }
  writeZeroPoints(view, at, codes, WORDS);
  writePanel(view, at, codes, panel);
}

export const format: ActFormat = {
  ...i8tok,
  name: "i8g32",
  panels: [PANEL.none, PANEL.pairs, PANEL.q4],
  encode,
  decode(row, k) {
    const { z } = i8tokLayout(k);
    const view = new DataView(row.buffer, row.byteOffset);
    const groups = Float32Array.from({ length: Math.ceil(k / GROUP) }, (_, g) => view.getFloat32(z + WORDS * g + SCALE_AT, true));
    return { ...i8tok.decode(row, k), groups };
  },
  fits: (scheme) => scheme.act === "i8tok" && scheme.group === GROUP,
};
