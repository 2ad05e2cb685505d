// attention. Error: a score of dh products in four lanes errs by at most (dh/4 + 4) roundings of scale · Σ|q·k|, a weight by twice the
// greatest error of a score (relatively) plus exp and sum, y by that times max |v|. With values below 3.4, dh ≤ 128, scale = 1/√dh and
// cosines that are not all 1, 4e-5 covers it; the typical error is 1e-6.
import { REFERENCES } from "../../runtime/ops/references.gen.ts";
import { normal } from "../support/data.ts";
import type { Bound, Case } from "./case.ts";

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
  /** Size of queries; of keys and values. */
  readonly hot?: number;
  readonly size?: number;
  readonly bound?: Bound;
  /** Operand that gets a NaN or infinity in its head 0 at position 0 (element 1 of the operand). */
  readonly poison?: { readonly in: "q" | "k" | "v"; readonly with: number };
}

/** Bytes of one position of one head of a cache. */
const positionBytes: Record<string, (dh: number) => number> = { f32: (dh) => 4 * dh, f16: (dh) => 2 * dh, i8: (dh) => dh + 4 };

/** Caches filled by the reference of kvappend: `positions` rows, what lies behind is 0xff (f32, f16: NaN), which no query may see. */
function caches(variant: string, s: Shape, capacity: number): { kcache: Uint8Array; vcache: Uint8Array } {
  const positions = s.pos + s.rows;
  const bytes = s.kvheads * capacity * positionBytes[variant](s.dh);
  const width = s.kvheads * s.dh;
  const fill = (seed: number, name: string) => {
    const x = normal(positions * width, seed, s.size ?? 1);
    if (s.poison?.in === name) x[Math.min(1, s.dh - 1)] = s.poison.with;
    return x;
  };
  const tensors = { k: fill(1, "k"), v: fill(2, "v"), kcache: new Uint8Array(bytes).fill(0xff), vcache: new Uint8Array(bytes).fill(0xff) };
  REFERENCES.kvappend({ tensors, values: { rows: positions, pos: 0, ks: width, vs: width, heads: s.kvheads, dh: s.dh, capacity } }, variant);
  return tensors;
}

function make(variant: string, name: string, s: Shape): Case {
  const { rows, heads, kvheads, dh, pos, gap = 0, window = 0, softcap = 0 } = s;
  const capacity = pos + rows + 3;
  const stride = heads * dh + gap;
  return {
    name: `${name}, rows ${rows}, ${heads}/${kvheads} heads of ${dh}, pos ${pos}${gap ? `, gap ${gap}` : ""}${window ? `, window ${window}` : ""}${softcap ? `, softcap ${softcap}` : ""}`,
    variant,
    rows,
    values: { pos, heads, kvheads, dh, capacity, scale: Math.fround(1 / Math.sqrt(dh)), softcap, window },
    strides: { q: stride, y: stride },
    tensors: () => {
      const q = normal(rows * stride, 3, s.hot ?? 1);
      if (s.poison?.in === "q") q[Math.min(1, dh - 1)] = s.poison.with;
      return {
        q,
        ...caches(variant, s, capacity),
        y: new Float32Array(rows * stride).fill(7),
        scores: new Float32Array(64 * capacity).fill(9),
        ...(s.pattern ? { pattern: new Float32Array(rows * heads * capacity).fill(5) } : {}),
      };
    },
    compare: { y: s.bound ?? { abs: 4e-5, rel: 0 }, ...(s.pattern ? { pattern: { abs: 1e-5, rel: 1e-5 } } : {}) },
  };
}

const of = (variant: string): Case[] => [
  ...[1, 3, 4, 5, 16, 20, 32, 36, 64, 80, 96, 127].map((dh) => make(variant, "head sizes", { rows: 2, heads: 2, kvheads: 1, dh, pos: 6 })),
  ...[0, 1, 2, 3, 4, 5, 63, 200].map((pos) => make(variant, "lengths", { rows: 1, heads: 3, kvheads: 3, dh: 32, pos, pattern: true })),
  make(variant, "groups", { rows: 1, heads: 9, kvheads: 3, dh: 64, pos: 40 }),
  make(variant, "prompt", { rows: 7, heads: 4, kvheads: 2, dh: 16, pos: 0, gap: 12, pattern: true }),
  ...[1, 3, 4, 8, 100].map((window) => make(variant, "window", { rows: 5, heads: 2, kvheads: 1, dh: 24, pos: 7, window, pattern: true })),
  make(variant, "softcap", { rows: 3, heads: 2, kvheads: 1, dh: 64, pos: 18, softcap: 2, hot: 4 }),
  make(variant, "one position takes all", { rows: 2, heads: 2, kvheads: 2, dh: 32, pos: 30, hot: 2000, bound: { abs: 4e-2, rel: 0 } }),
  make(variant, "tiny keys and values", { rows: 2, heads: 2, kvheads: 1, dh: 32, pos: 9, size: 1e-6 }),
  make(variant, "large keys and values", { rows: 1, heads: 2, kvheads: 1, dh: 32, pos: 9, size: 1e4, hot: 1e-4, bound: { abs: 0.4, rel: 0 } }),
  ...(["q", "k", "v"] as const).map((operand) => make(variant, `NaN in ${operand}`, { rows: 1, heads: 2, kvheads: 2, dh: 12, pos: 5, poison: { in: operand, with: Number.NaN } })),
  make(variant, "no rows", { rows: 0, heads: 2, kvheads: 2, dh: 8, pos: 4 }),
];

/** What only f32 caches hold: values beyond and below f16, infinities. */
const wide: Case[] = [
  make("f32", "values beyond f16", { rows: 2, heads: 2, kvheads: 1, dh: 36, pos: 9, size: 1e8, hot: 1e-8, bound: { abs: 4e3, rel: 0 } }),
  make("f32", "values below f16", { rows: 2, heads: 2, kvheads: 1, dh: 36, pos: 9, size: 1e-12, hot: 1e12, bound: { abs: 4e-17, rel: 0 } }),
  ...(["q", "k", "v"] as const).map((operand) => make("f32", `infinity in ${operand}`, { rows: 1, heads: 2, kvheads: 2, dh: 12, pos: 5, poison: { in: operand, with: Infinity } })),
];

export const cases: Case[] = [...of("f32"), ...wide, ...of("f16"), ...of("i8")];
