import { ACTS } from "../../runtime/act/catalogue.gen.ts";
import { linearVariant, parseLinearVariant } from "../../runtime/ops/linear/variant.ts";
import { writeList } from "../../runtime/ops/select/list.ts";
import { panelFor } from "../../runtime/plan/panels.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { emptyRows, type Q161Scheme } from "../../runtime/quant/q161.ts";
import { hasMinimum, isInteger, isSparse, type SparseScheme } from "../../runtime/quant/scheme.ts";
import { dropOthers } from "../../runtime/quant/sparse24.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { normal, random } from "../support/data.ts";
import type { Case } from "./case.ts";

/**
 * What W and x hold. `extremes`: every integer at the end of its range, signs such that sums grow, cancel or alternate by row and token;
 * floats over all exponents of f16, subnormals included. `groups`: activations whose groups of 32 are zero or far apart in size.
 * `nan`: NaN in the activations of token 1.
 */
type Fill = "normal" | "extremes" | "zero" | "groups" | "nan";

interface Shape {
  readonly n: number;
  readonly k: number;
  readonly rows: number;
  readonly fill?: Fill;
  readonly bias?: boolean;
  readonly residual?: boolean;
  /** Elements (bytes for quantised x) between the rows of x, y and the residual. */
  readonly gap?: number;
}

/** All kernels of a variant are given the same rows: with the panel that those of them that want one want. */
function panelOf(variant: string): number {
  const kernels = Object.values(KERNELS).flat();
  return Math.max(...kernels.filter((k) => k.startsWith(`gemv_${variant}__`) || k.startsWith(`gemm_${variant}__`)).map(panelFor));
}

function floats(count: number, fill?: Fill): Float32Array {
  if (fill === "zero") return new Float32Array(count);
  if (fill === "extremes") return normal(count, 4).map((v, i) => v * 2 ** ((i % 38) - 24));
  return normal(count, 4, 0.05);
}

/** The ways to keep two of four. */
const PAIRS = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
];

/** Places that go through all pairs, beginning with another one in each row. */
function everyPair({ share }: SparseScheme, n: number, k: number): Uint8Array {
  const groups = Math.ceil(k / 4);
  return Uint8Array.from({ length: n * groups * 2 }, (_, i) => PAIRS[(Math.floor((i >> 1) / groups / share) + ((i >> 1) % groups)) % 6][i & 1]);
}

function weights(variant: string, { n, k, fill }: Shape): Uint8Array {
  const { scheme } = parseLinearVariant(variant);
  const packed = new Uint8Array(scheme.bytes(n, k));
  if (fill === "extremes" && (isInteger(scheme) || hasMinimum(scheme))) {
    const { qmin, qmax, group } = scheme;
    const r = random(9);
    // rows: all qmin, all qmax, alternating, random ends
    const codes = Int8Array.from({ length: n * k }, (_, i) => [qmin, qmax, i % 2 ? qmin : qmax, r() < 0.5 ? qmin : qmax][Math.floor(i / k) % 4]);
    const scales = new Float32Array(n * Math.ceil(k / (group || k))).fill(0.0625);
    if (isSparse(scheme)) {
      const kept = everyPair(scheme, n, k);
      dropOthers(codes, kept, n, k);
      scheme.pack(codes, scales, n, k, packed, kept);
    } else if (hasMinimum(scheme)) {
      // scales of either sign and any exponent, minima that cancel their products, round them or leave them alone
      const d = scales.map((v, i) => v * [1 / 3, -1, 1, 2 ** -130, 2 ** 90][i % 5]);
      const minima = d.map((v, i) => v * [-8, -7.5, 0, 1 / 3][i % 4]);
      scheme.pack(codes, d, minima, n, k, packed);
    } else scheme.pack(codes, scales, n, k, packed);
  } else if (fill === "extremes" && scheme.arranged) packSplitExtremes(scheme as Q161Scheme, n, k, packed);
  else scheme.encode(floats(n * k, fill), n, k, packed);
  return packed;
}

/** Signs and codes by row: all least, all greatest, alternating, random ends; zero points 0 and 15; factors that cancel, round, or are 0. */
function packSplitExtremes(scheme: Q161Scheme, n: number, k: number, packed: Uint8Array): void {
  const rows = emptyRows(n, k);
  const r = random(9);
  const ends = (i: number, width: number) => [0, 1, i % 2, r() < 0.5 ? 0 : 1][Math.floor(i / width) % 4];
  for (let i = 0; i < rows.signs.length; i++) rows.signs[i] = ends(i, rows.signs.length / n);
  for (let i = 0; i < rows.codes.length; i++) rows.codes[i] = 15 * ends(i, rows.codes.length / n);
  for (let i = 0; i < n; i++) {
    rows.zeros[i] = i & 4 ? 0 : 15;
    rows.p[i] = [0.0625, 1 / 3, -65504, 2 ** -24, 0][i % 5];
    rows.q[i] = [0, -1 / 3, 0.0625][i % 3];
    rows.s[i] = [0.5, 2 ** -14, 1 / 3, 0][i % 4];
  }
  scheme.pack(rows, n, k, packed);
}

function activations(variant: string, { k, rows, fill, gap = 0 }: Shape, stride: number): Float32Array | Uint8Array {
  const r = random(7);
  const row = (t: number) => {
    if (fill === "zero") return new Float32Array(k);
    if (fill === "extremes") return Float32Array.from({ length: k }, (_, i) => [127, -127, i % 2 ? 127 : -127, r() < 0.5 ? 127 : -127][t % 4]);
    if (fill === "groups") return normal(k, 100 + t).map((v, i) => v * [1, 0, 2 ** -12, 2 ** 20, 127][((i >> 5) + t) % 5]);
    return fill === "nan" && t === 1 ? normal(k, 1).fill(Number.NaN, k >> 1, (k >> 1) + 1) : normal(k, 100 + t);
  };
  const { act } = parseLinearVariant(variant);
  if (act === "f32") return Float32Array.from(Array.from({ length: rows }, (_, t) => [...row(t), ...new Float32Array(gap)]).flat());
  const x = new Uint8Array(rows * stride).fill(0x77);
  for (let t = 0; t < rows; t++) ACTS[act].encode(row(t), x.subarray(t * stride, (t + 1) * stride), panelOf(variant));
  return x;
}

function make(variant: string, shape: Shape): Case {
  const { n, k, rows, fill = "normal", bias = false, residual = false, gap = 0 } = shape;
  const { act } = parseLinearVariant(variant);
  const xs = act === "f32" ? k + gap : ACTS[act].bytes(k) + 16 * gap;
  const stride = n + gap;
  return {
    name: `n ${n}, k ${k}, rows ${rows}, ${fill}${bias ? ", bias" : ""}${residual ? ", residual" : ""}${gap ? `, gap ${gap}` : ""}`,
    variant,
    rows,
    values: { n, k },
    strides: { x: xs, y: stride, residual: residual ? stride : 0 },
    tensors: () => ({
      x: activations(variant, shape, xs),
      w: weights(variant, shape),
      y: normal(rows * stride, 3),
      ...(bias ? { bias: normal(n, 5) } : {}),
      ...(residual ? { residual: normal(rows * stride, 6) } : {}),
    }),
    compare: { y: "exact" },
  };
}

/** k below, at, above and between groups; n around the block of 16; rows around the tiles of 4 and 8; what may be absent, absent. */
const ladder: readonly Shape[] = [
  ...[1, 7, 8, 31, 32, 33, 64, 100, 127, 128, 129, 160, 260].map((k) => ({ n: 16, k, rows: 1 })),
  ...[1, 2, 3, 4, 5, 15, 16, 17, 64].map((n) => ({ n, k: 96, rows: 1, bias: n % 2 === 1 })),
  ...[0, 1, 2, 3, 4, 5, 8, 9].map((rows) => ({ n: 21, k: 136, rows, bias: rows % 2 === 0, residual: rows % 3 === 0 })),
  { n: 35, k: 72, rows: 6, gap: 4 },
  { n: 30, k: 200, rows: 5, gap: 8, bias: true, residual: true },
  { n: 16, k: 128, rows: 4, fill: "zero", bias: true },
  { n: 18, k: 264, rows: 6, fill: "groups" },
  { n: 18, k: 64, rows: 5, fill: "nan", bias: true },
  ...[32, 128, 640].map((k): Shape => ({ n: 18, k, rows: 9, fill: "extremes" })),
];

/** Which bytes of a packed matrix hold places: those that differ where nothing but the places does. */
function placeBytes(scheme: SparseScheme, n: number, k: number): boolean[] {
  const scales = new Float32Array(n * Math.ceil(k / (scheme.group || k)));
  const packs = PAIRS.map((pair) => {
    const packed = new Uint8Array(scheme.bytes(n, k));
    scheme.pack(
      new Int8Array(n * k),
      scales,
      n,
      k,
      packed,
      Uint8Array.from({ length: n * Math.ceil(k / 4) * 2 }, (_, i) => pair[i & 1]),
    );
    return packed;
  });
  return Array.from(packs[0], (byte, i) => packs.some((p) => p[i] !== byte));
}

/**
 * Places of any bits, those that no encoder writes too: each names one of the window's 8 activations, and all builds read them alike. Codes
 * are small, as several may meet at one k.
 */
function anyPlaces(variant: string, n: number, k: number): Case {
  const c = make(variant, { n, k, rows: 9 });
  const scheme = SCHEMES[variant] as SparseScheme;
  const tensors = () => {
    const r = random(12);
    const few = Math.min(31, scheme.qmax);
    const codes = Int8Array.from({ length: n * k }, () => Math.floor(r() * (2 * few + 1)) - few);
    const kept = everyPair(scheme, n, k);
    dropOthers(codes, kept, n, k);
    const w = new Uint8Array(scheme.bytes(n, k));
    scheme.pack(codes, new Float32Array(n * Math.ceil(k / (scheme.group || k))).fill(0.0625), n, k, w, kept);
    const places = placeBytes(scheme, n, k);
    return { ...c.tensors(), w: w.map((byte, i) => (places[i] ? Math.floor(r() * 256) : byte)) };
  };
  return { ...c, name: `n ${n}, k ${k}, places of any bits`, tensors };
}

/** Codes of any bits, those that no encoder writes too: all builds must read them alike. Every `period` bytes stand `head` of scales, which stay. */
function anyBits(variant: string, n: number, k: number, period: number, head: number): Case {
  const c = make(variant, { n, k, rows: 5, fill: "extremes" });
  const tensors = () => {
    const { w, ...rest } = c.tensors() as { w: Uint8Array };
    const r = random(11);
    return { ...rest, w: w.map((b, i) => (i % period < head ? b : Math.floor(r() * 256) | (i & 64 ? 0xff : 0))) };
  };
  return { ...c, name: `n ${n}, k ${k}, codes of any bits`, tensors };
}

/** Every scheme with its own activation format and with every other that fits it. */
const variants = new Set(Object.values(SCHEMES).flatMap((s) => [s.name, ...Object.values(ACTS).flatMap((a) => (a.fits(s) ? [linearVariant(s.name, a.name)] : []))]));

/** Rows of a list, without which y stays as it was; and a list that stands for all. */
function listed(share: number | undefined, n: number, k: number): Case {
  const c = make("q4n", { n, k, rows: 1, bias: n % 2 === 1 });
  const r = random(13);
  const rows = share === undefined ? undefined : Array.from({ length: n }, (_, i) => i).filter(() => r() < share);
  const tensors = () => {
    const only = new Uint32Array(4 + n).fill(0xffffff);
    writeList(only, n, rows);
    return { ...c.tensors(), only };
  };
  return { ...c, name: `${c.name}, ${share === undefined ? "all" : share} of the rows listed`, tensors };
}

/** Rows of the compact matrix, as many as the set counts: y is as it was behind them. */
function ordered(many: number, n: number, k: number): Case {
  const c = make("q4n", { n, k, rows: 1 });
  const tensors = () => {
    const only = new Uint32Array(4 + n).fill(0xffffff);
    writeList(only, many, undefined, true);
    const compact = new Uint8Array(SCHEMES.q4n.bytes(many, k));
    SCHEMES.q4n.encode(normal(many * k, 21, 0.05), many, k, compact);
    return { ...c.tensors(), only, compact };
  };
  return { ...c, name: `${c.name}, ${many} rows in order`, tensors };
}

const sparse = Object.values(SCHEMES)
  .filter(isSparse)
  .map((s) => s.name);

export const cases: Case[] = [
  ...[...variants].flatMap((variant) => ladder.map((shape) => make(variant, shape))),
  anyBits("t2", 35, 384, SCHEMES.t2.bytes(16, 128), 32),
  // columns left over: one and two groups of signs more than of codes, in a run with codes and in one without
  ...[39, 41, 80, 310, 319, 352, 359, 999].map((k) => make("q161", { n: 19, k, rows: 5, fill: "extremes", residual: true })),
  anyBits("q161", 35, 999, SCHEMES.q161.bytes(16, 999), 112),
  ...[0, 0.05, 0.3, 0.6, 1, undefined].flatMap((share) => [listed(share, 37, 72), listed(share, 150, 40), listed(share, 96, 200)]),
  ...[1, 4, 15, 16, 30, 64].map((many) => ordered(many, 96, 200)),
  ...sparse.map((variant) => anyPlaces(variant, 35, 300)),
];
