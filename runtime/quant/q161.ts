// q161: PTQ1.61 (Zhao et al. 2025, arXiv 2502.13179). The columns come arranged (runtime/graph/columns.ts): a fifth of them, the salient ones,
// stand first and have 4 bits, all others one bit, a sign. For row i
//   salient column j   w = s_i · (code − zero_i), codes and zero 0…15         others   w = p_i · sign + q_i, sign ±1
// with p, q, s of 16 bits: at 4096 × 4096 1.615 bits a weight, 1.619 with the columns' own bytes.
//
// A block of 16 rows: p, q, s f16 [16] each, zero u8 [16], then runs of up to 8 groups of 32 signs and behind them 8 groups of 8 codes; a group of
// either is [16 rows][4 bytes]. Signs: bit f of byte j is set where column 4·f + j has +1. Codes: low nibble column j, high nibble column j + 4.
// Where k has columns left over, the last runs have more groups of signs than of codes; signs are padded with −1, which meet zeros.
import { f16ToF32, f32ToF16 } from "../num/half.ts";
import { roundup } from "../num/int.ts";
import { BLOCK_ROWS, type Scheme } from "./scheme.ts";

const GROUP_BYTES = 64;
const RUN = 8;
const HEAD = 112;
const ZERO = 96;
const F16_MAX = 65504;

/** How many of k columns are salient, and how many others there are. */
export function splitOf(k: number): { salient: number; binary: number } {
  const salient = 8 * Math.floor(k / 40);
  return { salient, binary: k - salient };
}

function groupsOf(k: number) {
  const { salient, binary } = splitOf(k);
  return { codes: salient / 8, signs: Math.ceil(binary / 32) };
}

const blockBytes = (k: number) => HEAD + (groupsOf(k).codes + groupsOf(k).signs) * GROUP_BYTES;
const bytes = (n: number, k: number) => (roundup(n, BLOCK_ROWS) / BLOCK_ROWS) * blockBytes(k);

/** Byte of a block at which a group of signs, or of codes, begins: groups of codes before it, and of signs. */
const groupAt = (codes: number, signs: number) => HEAD + (codes + signs) * GROUP_BYTES;

/** Byte and bit of binary column i, and byte and shift of salient column i, in a block; for row 0. */
function places(k: number) {
  const { codes, signs } = groupsOf(k);
  const run = (group: number) => group - (group % RUN);
  return {
    sign: (i: number) => ({ at: groupAt(Math.min(codes, run(i >> 5)), i >> 5) + (i & 3), bit: (i & 31) >> 2 }),
    code: (i: number) => ({ at: groupAt(i >> 3, Math.min(signs, run(i >> 3) + RUN)) + (i & 3), shift: i & 4 }),
  };
}

/** What rows are made of; all arrays row by row. */
export interface Q161Rows {
  /** 1 for +1, 0 for −1: [rows, binary]. */
  readonly signs: Uint8Array;
  /** 0…15: [rows, salient]. */
  readonly codes: Uint8Array;
  /** 0…15: [rows]. */
  readonly zeros: Uint8Array;
  /** [rows] each, as an f16 holds them. */
  readonly p: Float32Array;
  readonly q: Float32Array;
  readonly s: Float32Array;
}

const FACTORS = ["p", "q", "s"] as const;

export function emptyRows(rows: number, k: number): Q161Rows {
  const { salient, binary } = splitOf(k);
  const f32 = () => new Float32Array(rows);
  return { signs: new Uint8Array(rows * binary), codes: new Uint8Array(rows * salient), zeros: new Uint8Array(rows), p: f32(), q: f32(), s: f32() };
}

const toHalf = (v: number) => f32ToF16(Math.max(-F16_MAX, Math.min(F16_MAX, v)));
/** The nearest value that is stored. */
const half = (v: number) => f16ToF32(toHalf(v));

function pack(from: Q161Rows, rows: number, k: number, out: Uint8Array): void {
  const { salient, binary } = splitOf(k);
  const { sign, code } = places(k);
  out.fill(0, 0, bytes(rows, k));
  for (let r = 0; r < rows; r++) {
    const at = (r >> 4) * blockBytes(k);
    const here = r & 15;
    FACTORS.forEach((f, i) => {
      const h = toHalf(from[f][r]);
      out[at + 32 * i + 2 * here] = h & 255;
      out[at + 32 * i + 2 * here + 1] = h >> 8;
    });
    out[at + ZERO + here] = from.zeros[r];
    for (let i = 0; i < binary; i++) out[at + 4 * here + sign(i).at] |= from.signs[r * binary + i] << sign(i).bit;
    for (let i = 0; i < salient; i++) out[at + 4 * here + code(i).at] |= from.codes[r * salient + i] << code(i).shift;
  }
}

function unpack(packed: Uint8Array, rows: number, k: number): Q161Rows {
  const { salient, binary } = splitOf(k);
  const { sign, code } = places(k);
  const to = emptyRows(rows, k);
  for (let r = 0; r < rows; r++) {
    const at = (r >> 4) * blockBytes(k);
    const here = r & 15;
    to.zeros[r] = packed[at + ZERO + here];
    for (let i = 0; i < binary; i++) to.signs[r * binary + i] = (packed[at + 4 * here + sign(i).at] >> sign(i).bit) & 1;
    for (let i = 0; i < salient; i++) to.codes[r * salient + i] = (packed[at + 4 * here + code(i).at] >> code(i).shift) & 15;
    FACTORS.forEach((f, i) => {
      const b = at + 32 * i + 2 * here;
      to[f][r] = f16ToF32(packed[b] | (packed[b + 1] << 8));
    });
  }
  return to;
}

const clampCode = (v: number) => Math.max(0, Math.min(15, v));

/** Salient columns of row r: the range of the row, zero in it, in 15 steps (§3.3 of the paper, over these columns only). */
function roundSalient(w: Float32Array, r: number, to: Q161Rows): void {
  const s = half((Math.max(0, ...w) - Math.min(0, ...w)) / 15);
  const zero = s === 0 ? 0 : clampCode(Math.round(-Math.min(0, ...w) / s));
  to.s[r] = s;
  to.zeros[r] = zero;
  for (let i = 0; i < w.length; i++) to.codes[r * w.length + i] = s === 0 ? 0 : clampCode(Math.round(w[i] / s) + zero);
}

/** The other columns: the sign is that of w − mean; p and q have the least squared error for these signs: q ± p are the means of each. */
function roundBinary(w: Float32Array, r: number, to: Q161Rows): void {
  const mean = w.reduce((sum, v) => sum + v / w.length, 0);
  const sums = [0, 0];
  const counts = [0, 0];
  for (let i = 0; i < w.length; i++) {
    const sign = w[i] >= mean ? 1 : 0;
    to.signs[r * w.length + i] = sign;
    sums[sign] += w[i];
    counts[sign]++;
  }
  const above = counts[1] ? sums[1] / counts[1] : 0;
  const below = counts[0] ? sums[0] / counts[0] : -above;
  to.p[r] = half((above - below) / 2);
  to.q[r] = half((above + below) / 2);
}

function encode(w: Float32Array, rows: number, k: number, out: Uint8Array): void {
  const { salient } = splitOf(k);
  const to = emptyRows(rows, k);
  for (let r = 0; r < rows; r++) {
    roundSalient(w.subarray(r * k, r * k + salient), r, to);
    roundBinary(w.subarray(r * k + salient, (r + 1) * k), r, to);
  }
  pack(to, rows, k, out);
}

function decode(packed: Uint8Array, rows: number, k: number): Float32Array {
  const { salient, binary } = splitOf(k);
  const from = unpack(packed, rows, k);
  const w = new Float32Array(rows * k);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < salient; i++) w[r * k + i] = (from.codes[r * salient + i] - from.zeros[r]) * from.s[r];
    for (let i = 0; i < binary; i++) w[r * k + salient + i] = from.q[r] + (from.signs[r * binary + i] ? from.p[r] : -from.p[r]);
  }
  return w;
}

/** For methods that choose signs, codes and factors themselves. */
export interface Q161Scheme extends Scheme {
  pack(from: Q161Rows, rows: number, k: number, out: Uint8Array): void;
  unpack(packed: Uint8Array, rows: number, k: number): Q161Rows;
}

export const scheme: Q161Scheme = { name: "q161", version: 1, act: "split161", arranged: true, bytes, encode, decode, pack, unpack };
