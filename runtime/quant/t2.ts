// t2: ternary codes −1, 0, 1 in 2 bits, one 16-bit scale for 128 weights: 2.125 bits a weight. [n/16][kp/128] of 16 u16 scales, then
// [8 steps][16 rows][4 bytes] of codes + 1, 544 bytes. Byte j of step i holds weights 4·i + j, + 32, + 64, + 96 in bits 0–1, 2–3, 4–5, 6–7, so
// that a field's sum of activations is one zero-point word of i8tok. The fourth code stands for 2: every byte has a meaning, none is written.
import { type Codes, groupedScheme, ROW_STEP, scaleFromU16, scaleToU16 } from "./lanes.ts";

const GROUP = 128;
const FIELD = 32;

const at = (i: number) => ((i % FIELD) >> 2) * ROW_STEP + (i & 3);
const shift = (i: number) => 2 * Math.floor(i / FIELD);

const TERNARY: Codes = {
  bytesPerGroup: () => (FIELD / 4) * ROW_STEP,
  put(codes, from, length, group, out, to) {
    for (let i = 0; i < FIELD; i++) out[to + at(i)] = 0;
    for (let i = 0; i < group; i++) out[to + at(i)] |= (1 + (i < length ? codes[from + i] : 0)) << shift(i);
  },
  get(packed, from, length, codes, to) {
    for (let i = 0; i < length; i++) codes[to + i] = ((packed[from + at(i)] >> shift(i)) & 3) - 1;
  },
};

/**
 * Scale of least squared error: if the m greatest magnitudes become ±1, the best scale is their mean and the error falls by (their sum)² / m;
 * the best m wins. Rounding to nearest at that scale then chooses the codes.
 */
function scaleOf(w: Float32Array, from: number, length: number): number {
  const magnitudes = w
    .slice(from, from + length)
    .map(Math.abs)
    .sort();
  let sum = 0;
  let [gain, scale] = [0, 0];
  for (let m = 1; m <= length; m++) {
    sum += magnitudes[length - m];
    if ((sum / m) * sum <= gain) continue;
    gain = (sum / m) * sum;
    scale = sum / m;
  }
  return scaleFromU16(scaleToU16(scale));
}

export const scheme = groupedScheme({ name: "t2", group: GROUP, qmin: -1, qmax: 1, codes: TERNARY, scaleOf });
