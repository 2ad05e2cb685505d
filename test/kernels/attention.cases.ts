// attention. Error: a score of dh products in four lanes errs by at most (dh/4 + 4) roundings of scale · Σ|q·k|, a weight by twice the
// greatest error of a score (relatively) plus exp and sum, y by that times max |v|. With values below 3.4, dh ≤ 128, scale = 1/√dh and
// cosines that are not all 1, 4e-5 covers it; the typical error is 1e-6.
// Over i8 caches queries and weights are rounded to 14 bits: a score errs by up to max|q| / 16382 · scale · Σ|k|, a weight by 1/32766 of the
// greatest of its block. Errors of either sign add up as their squares do: 3e-4 covers it.

import { BLOCK, blocksOf, partWords, scratchWords } from "../../runtime/ops/attention/parts.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { i8Cache } from "../../runtime/ops/kvappend/i8cache.ts";
import { REFERENCES } from "../../runtime/ops/references.gen.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  readonly pos: number;
  readonly gap?: number;
  readonly window?: number;
  readonly softcap?: number;
  readonly pattern?: boolean;
  /** Blocks are left apart. */
  readonly parts?: boolean;
  /** Size of queries; of keys and values. */
  readonly hot?: number;
  readonly size?: number;
  /** How much larger errors may be than those of values of size 1. */
  readonly times?: number;
  /** Operand that gets a NaN or infinity in its head 0, element 1, at a position (0; of q: row). */
  readonly poison?: { readonly in: "q" | "k" | "v"; readonly with: number; readonly at?: number };
}

/** Bytes of a cache. */
const cacheBytes: Record<string, (heads: number, capacity: number, dh: number) => number> = {
  f32: (heads, capacity, dh) => 4 * heads * capacity * dh,
  f16: (heads, capacity, dh) => 2 * heads * capacity * dh,
  i8: (heads, capacity, dh) => i8Cache(heads, capacity, dh).bytes,
};

/** Caches filled by the reference of kvappend: `positions` rows, what lies behind is 0xff (f32, f16: NaN), which no query may see. */
function caches(variant: string, s: Shape, capacity: number): { kcache: Uint8Array; vcache: Uint8Array } {
  const positions = s.pos + s.rows;
  const bytes = cacheBytes[variant](s.kvheads, capacity, s.dh);
  const width = s.kvheads * s.dh;
  const fill = (seed: number, name: string) => {
    const x = normal(positions * width, seed, s.size ?? 1);
    if (s.poison?.in === name) x[(s.poison.at ?? 0) * width + Math.min(1, s.dh - 1)] = s.poison.with;
    return x;
  };
  const tensors = { k: fill(1, "k"), v: fill(2, "v"), kcache: new Uint8Array(bytes).fill(0xff), vcache: new Uint8Array(bytes).fill(0xff) };
  REFERENCES.kvappend({ tensors, values: { rows: positions, pos: 0, ks: width, vs: width, heads: s.kvheads, dh: s.dh, capacity } }, variant);
  return tensors;
}

/** The harness cuts a case into no more. */
const MOST_UNITS = 7;

function once<T>(f: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= f();
    return made;
  };
}

function make(variant: string, name: string, s: Shape): Case {
  const { rows, heads, kvheads, dh, pos, gap = 0, window = 0, softcap = 0 } = s;
  const capacity = pos + rows + 3;
  const stride = heads * dh + gap;
  const scratch = scratchWords(heads, kvheads, dh, rows);
  const cached = once(() => caches(variant, s, capacity));
  const bound = { abs: (s.times ?? 1) * (variant === "i8" ? 3e-4 : 4e-5), rel: 0 };
  return {
    name: `${name}, rows ${rows}, ${heads}/${kvheads} heads of ${dh}, pos ${pos}${gap ? `, gap ${gap}` : ""}${window ? `, window ${window}` : ""}${softcap ? `, softcap ${softcap}` : ""}`,
    variant,
    rows,
    values: { pos, heads, kvheads, dh, capacity, scale: Math.fround(1 / Math.sqrt(dh)), softcap, window },
    strides: { q: stride, y: stride, scores: scratch },
    tensors: () => {
      const q = normal(rows * stride, 3, s.hot ?? 1);
      if (s.poison?.in === "q") q[(s.poison.at ?? 0) * stride + Math.min(1, dh - 1)] = s.poison.with;
      return {
        q,
        kcache: cached().kcache.slice(),
        vcache: cached().vcache.slice(),
        y: new Float32Array(rows * stride).fill(7),
        scores: new Float32Array(MOST_UNITS * scratch).fill(Number.NaN),
        ...(s.parts ? { parts: new Float32Array(rows * heads * blocksOf(capacity) * partWords(dh)).fill(3) } : {}),
        ...(s.pattern ? { pattern: new Float32Array(rows * heads * capacity).fill(5) } : {}),
      };
    },
    compare: { ...(s.parts ? { parts: bound } : { y: bound }), ...(s.pattern ? { pattern: { abs: bound.abs / 4, rel: bound.abs / 4 } } : {}) },
    ...(s.parts ? { view: { parts: partsSeen(s, capacity, false) }, alike: { parts: partsSeen(s, capacity, true) } } : {}),
  };
}

/** What parts say: m, l and y as they are, or (to be judged by one bound) m, ln l and y / l. */
function partsSeen({ rows, heads, dh, pos, window = 0 }: Shape, capacity: number, raw: boolean) {
  return (t: OperandArray): Float32Array => {
    const out: number[] = [];
    for (let r = 0; r < rows; r++) {
      const first = window > 0 ? Math.max(0, pos + r - window + 1) : 0;
      const blocks = Math.floor((pos + r) / BLOCK) - Math.floor(first / BLOCK) + 1;
      for (let h = 0; h < heads; h++)
        for (let b = 0; b < blocks; b++) {
          const at = ((r * heads + h) * blocksOf(capacity) + b) * partWords(dh);
          const [m, l] = t.subarray(at, at + 2);
          const y = [...t.subarray(at + 4, at + 4 + dh)];
          out.push(m, ...(raw ? [l, ...y] : [Math.log(l), ...y.map((s) => s / l)]));
        }
    }
    return Float32Array.from(out);
  };
}

const of = (variant: string): Case[] => [
  ...[1, 3, 4, 5, 16, 20, 32, 36, 64, 80, 96, 127].map((dh) => make(variant, "head sizes", { rows: 2, heads: 2, kvheads: 1, dh, pos: 6 })),
  ...[0, 1, 2, 3, 4, 5, 63, 200].map((pos) => make(variant, "lengths", { rows: 1, heads: 3, kvheads: 3, dh: 32, pos, pattern: true })),
  make(variant, "groups", { rows: 1, heads: 9, kvheads: 3, dh: 64, pos: 40 }),
  ...[18, 20, 24].map((dh) => make(variant, "groups", { rows: 1, heads: 4, kvheads: 1, dh, pos: 41 })),
  make(variant, "prompt", { rows: 7, heads: 4, kvheads: 2, dh: 16, pos: 0, gap: 12, pattern: true }),
  ...[1, 3, 4, 8, 100].map((window) => make(variant, "window", { rows: 5, heads: 2, kvheads: 1, dh: 24, pos: 7, window, pattern: true })),
  make(variant, "softcap", { rows: 3, heads: 2, kvheads: 1, dh: 64, pos: 18, softcap: 2, hot: 4 }),
  make(variant, "one position takes all", { rows: 2, heads: 2, kvheads: 2, dh: 32, pos: 30, hot: 2000, times: 1000 }),
  make(variant, "tiny keys and values", { rows: 2, heads: 2, kvheads: 1, dh: 32, pos: 9, size: 1e-6 }),
  make(variant, "large keys and values", { rows: 1, heads: 2, kvheads: 1, dh: 32, pos: 9, size: 1e4, hot: 1e-4, times: 1e4 }),
  ...(["q", "k", "v"] as const).map((operand) => make(variant, `NaN in ${operand}`, { rows: 1, heads: 2, kvheads: 2, dh: 12, pos: 5, poison: { in: operand, with: Number.NaN } })),
  ...(["q", "k", "v"] as const).map((operand) =>
    make(variant, `NaN in ${operand} of heads in threes`, { rows: 1, heads: 4, kvheads: 1, dh: 16, pos: 5, poison: { in: operand, with: Number.NaN } }),
  ),
  ...[0, 5, 200].map((pos) => make(variant, "prompt of many tiles", { rows: 61, heads: 6, kvheads: 2, dh: 20, pos, gap: 4 })),
  ...[1, 5, 24, 30].map((heads) => make(variant, "prompt, groups", { rows: 27, heads, kvheads: 1, dh: 16, pos: 3 })),
  ...[1, 7, 16, 40].map((window) => make(variant, "prompt, window", { rows: 37, heads: 3, kvheads: 1, dh: 18, pos: 243, window })),
  make(variant, "prompt, window and softcap", { rows: 19, heads: 4, kvheads: 2, dh: 36, pos: 505, window: 260, softcap: 3 }),
  ...(["q", "k", "v"] as const).map((operand) =>
    make(variant, `prompt, NaN in ${operand}`, { rows: 21, heads: 4, kvheads: 2, dh: 12, pos: operand === "q" ? 9 : 0, poison: { in: operand, with: Number.NaN, at: 10 } }),
  ),
  ...[255, 256, 257, 600].map((pos) => make(variant, "blocks", { rows: 2, heads: 5, kvheads: 1, dh: 16, pos, pattern: true })),
  ...[40, 256, 300].map((window) => make(variant, "blocks", { rows: 3, heads: 2, kvheads: 2, dh: 16, pos: 530, window, pattern: true })),
  make(variant, "sharp", { rows: 1, heads: 2, kvheads: 1, dh: 16, pos: 700, hot: 30, times: 30 }),
  ...[0, 254, 700].map((pos) => make(variant, "parts", { rows: 3, heads: 6, kvheads: 2, dh: 20, pos, parts: true })),
  ...[100, 257].map((window) => make(variant, "parts", { rows: 2, heads: 3, kvheads: 1, dh: 32, pos: 511, window, softcap: 3, parts: true })),
  make(variant, "no rows, parts", { rows: 0, heads: 2, kvheads: 2, dh: 8, pos: 4, parts: true }),
  make(variant, "no rows", { rows: 0, heads: 2, kvheads: 2, dh: 8, pos: 4 }),
];

/** What only f32 caches hold: values beyond and below f16, infinities. */
const wide: Case[] = [
  make("f32", "values beyond f16", { rows: 2, heads: 2, kvheads: 1, dh: 36, pos: 9, size: 1e8, hot: 1e-8, times: 1e8 }),
  make("f32", "values below f16", { rows: 2, heads: 2, kvheads: 1, dh: 36, pos: 9, size: 1e-12, hot: 1e12, times: 1e-12 }),
  ...(["q", "k", "v"] as const).map((operand) => make("f32", `infinity in ${operand}`, { rows: 1, heads: 2, kvheads: 2, dh: 12, pos: 5, poison: { in: operand, with: Infinity } })),
];

export const cases: Case[] = [...of("f32"), ...wide, ...of("f16"), ...of("i8")];
