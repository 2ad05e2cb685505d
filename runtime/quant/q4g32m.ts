// q4g32m: int4 codes 0…15, scale d and minimum m for 32 weights, both f32: w = d · q + m, 6 bits a weight. [n/16][kp/32] of 16 f32 d,
// 16 f32 m, then the nibbles in q4g32's order but for their zero point: 384 bytes. f32, because the scales of Q4_K are products of an f16 and
// 6 bits: 17 bits, which f32 holds and f16 does not. What GGUF calls Q4_0, Q4_1 and Q4_K comes in exactly (import.ts).
// Encoding: round to nearest, the best of a few ranges, each of which then moves to where its codes want it (least squares).
import { roundup } from "../num/int.ts";
import { RAW_NIBBLES, roundCodes } from "./lanes.ts";
import { BLOCK_ROWS, type MinimumScheme, type Range } from "./scheme.ts";

const GROUP = 32;
const QMAX = 15;
const MINIMA_AT = 4 * BLOCK_ROWS;
const CODES_AT = 2 * MINIMA_AT;
const STRIDE = CODES_AT + RAW_NIBBLES.bytesPerGroup(GROUP);

const groupsOf = (k: number) => Math.ceil(k / GROUP);
const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * groupsOf(k) * STRIDE;
const groupAt = (r: number, g: number, groups: number) => ((r >> 4) * groups + g) * STRIDE;

function pack(codes: Int8Array, scales: Float32Array, minima: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const groups = groupsOf(k);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  for (let r = 0; r < roundup(rows, BLOCK_ROWS); r++)
    for (let g = 0; g < groups; g++) {
      const at = groupAt(r, g, groups) + 4 * (r & 15);
      view.setFloat32(at, r < rows ? scales[r * groups + g] : 0, true);
      view.setFloat32(at + MINIMA_AT, r < rows ? minima[r * groups + g] : 0, true);
      RAW_NIBBLES.put(codes, r * k + g * GROUP, r < rows ? Math.min(GROUP, k - g * GROUP) : 0, GROUP, out, at + CODES_AT);
    }
}

function unpack(packed: Uint8Array, rows: number, k: number): { codes: Int8Array; scales: Float32Array; minima: Float32Array } {
  const groups = groupsOf(k);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const codes = new Int8Array(rows * k);
  const scales = new Float32Array(rows * groups);
  const minima = new Float32Array(rows * groups);
  for (let r = 0; r < rows; r++)
    for (let g = 0; g < groups; g++) {
      const at = groupAt(r, g, groups) + 4 * (r & 15);
      scales[r * groups + g] = view.getFloat32(at, true);
      minima[r * groups + g] = view.getFloat32(at + MINIMA_AT, true);
      RAW_NIBBLES.get(packed, at + CODES_AT, Math.min(GROUP, k - g * GROUP), codes, r * k + g * GROUP);
    }
  return { codes, scales, minima };
}

/** fround(fround(d · q) + m). */
function decode(packed: Uint8Array, rows: number, k: number): Float32Array {
  const { codes, scales, minima } = unpack(packed, rows, k);
  const groups = groupsOf(k);
  const w = new Float32Array(rows * k);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < k; i++) {
      const at = r * groups + Math.floor(i / GROUP);
      w[r * k + i] = Math.fround(codes[r * k + i] * scales[at]) + minima[at];
    }
  return w;
}

/** Steps into which the range of a group is divided: 15 reaches both ends, more clip them for a finer step. */
const DIVISORS = [15, 15.5, 16, 17, 18, 20, 14.5] as const;

/** 15 of them are an f32. */
const MAX_SCALE = 2 ** 124;

const shifted = new Float64Array(GROUP);
const trial = new Int8Array(GROUP);

/** trial = nearest codes of the group; returns Σ (w − (d · q + m))². */
function tryRange(w: Float32Array, from: number, length: number, { scale, minimum }: Range): number {
  for (let i = 0; i < length; i++) shifted[i] = w[from + i] - minimum;
  roundCodes(shifted, 0, length, scale, 0, QMAX, trial, 0);
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (shifted[i] - trial[i] * scale) ** 2;
  return sum;
}

/** The range in which the codes of `trial` stand for w best. */
function fitted(w: Float32Array, from: number, length: number): Range | undefined {
  let [q, qq, v, qv] = [0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    q += trial[i];
    qq += trial[i] * trial[i];
    v += w[from + i];
    qv += trial[i] * w[from + i];
  }
  const spread = length * qq - q * q;
  if (spread === 0) return undefined;
  const scale = Math.fround((length * qv - q * v) / spread);
  const minimum = Math.fround((v - scale * q) / length);
  return scale > 0 && scale <= MAX_SCALE && Number.isFinite(minimum) ? { scale, minimum } : undefined;
}

/** The range of least squared error among those tried, the earlier one on a tie; the plain one is the first. */
function chooseRange(w: Float32Array, from: number, length: number): Range {
  let [least, greatest] = [w[from], w[from]];
  for (let i = from + 1; i < from + length; i++) {
    least = Math.min(least, w[i]);
    greatest = Math.max(greatest, w[i]);
  }
  let best: Range = { scale: 0, minimum: least };
  let error = tryRange(w, from, length, best);
  const consider = (range: Range) => {
    const here = tryRange(w, from, length, range);
    if (here >= error) return;
    error = here;
    best = range;
  };
  if (error > 0)
    for (const divisor of DIVISORS) {
      const scale = Math.min(MAX_SCALE, Math.fround((greatest - least) / divisor));
      if (scale === 0) continue;
      // Both ends lose alike: the middle of the codes stands at the middle of the range.
      consider({ scale, minimum: divisor === QMAX ? least : Math.fround((least + greatest - QMAX * scale) / 2) });
      for (let turn = 0; turn < 2; turn++) {
        const range = fitted(w, from, length);
        if (range) consider(range);
      }
    }
  return best;
}

/** Block by block, so that the codes of a large matrix never stand in memory twice. */
function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const groups = groupsOf(k);
  const codes = new Int8Array(BLOCK_ROWS * k);
  const scales = new Float32Array(BLOCK_ROWS * groups);
  const minima = new Float32Array(BLOCK_ROWS * groups);
  for (let first = 0; first < rows; first += BLOCK_ROWS) {
    const here = Math.min(BLOCK_ROWS, rows - first);
    for (let r = 0; r < here; r++)
      for (let g = 0; g < groups; g++) {
        const from = (first + r) * k + g * GROUP;
        const length = Math.min(GROUP, k - g * GROUP);
        const range = chooseRange(w, from, length);
        scales[r * groups + g] = range.scale;
        minima[r * groups + g] = range.minimum;
        tryRange(w, from, length, range);
        codes.set(trial.subarray(0, length), r * k + g * GROUP);
      }
    pack(codes, scales, minima, here, k, out.subarray(bytes(first, k), bytes(first + here, k)));
  }
}

export const scheme: MinimumScheme = {
  name: "q4g32m",
  version: 1,
  group: GROUP,
  act: "i8tok",
  qmin: 0,
  qmax: QMAX,
  bytes,
  encode,
  decode,
  rangeOf: (w) => chooseRange(w, 0, w.length),
  pack,
  unpack,
};
