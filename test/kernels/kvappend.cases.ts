// kvappend: every byte is specified, those of other positions too (they stay).
import { i8Cache } from "../../runtime/ops/kvappend/i8cache.ts";
import { normal, random } from "../support/data.ts";
import type { Case } from "./case.ts";

type Fill = (n: number, seed: number) => Float32Array;

/** Any finite or infinite f32, by its bits. */
const anyBits: Fill = (n, seed) => {
  const r = random(seed);
  const bits = Uint32Array.from({ length: n }, () => r() * 2 ** 32);
  return Float32Array.from(new Float32Array(bits.buffer), (v) => (Number.isNaN(v) ? 1 : v));
};

/** Every exponent of f16 and its ties: halves of f16 steps, and the neighbours of ties in f32. */
const ties: Fill = (n, seed) => {
  const r = random(seed);
  return Float32Array.from({ length: n }, () => {
    const e = Math.floor(r() * 42) - 26;
    const step = 2 ** (Math.max(e, -14) - 10);
    const v = 2 ** e + step * (Math.floor(r() * 1024) + 0.5);
    return (r() < 0.5 ? -1 : 1) * v * [1, 1 + 2 ** -23, 1 - 2 ** -24][Math.floor(r() * 3)];
  });
};

const borders: Fill = (n) => {
  const special = [0, -0, 65504, 65519, 65520, 65536, 1e9, -1e9, Infinity, -Infinity, 2 ** -14, 2 ** -24, 2 ** -25, 1.5 * 2 ** -25, -(2 ** -26), 2 ** -14 - 2 ** -26, 1e-44];
  return Float32Array.from({ length: n }, (_, i) => special[i % special.length]);
};

const fills: Record<string, Fill> = { normal, anyBits, ties, borders, zero: (n) => new Float32Array(n) };

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly dh: number;
  readonly pos?: number;
  readonly gap?: number;
}

/** Bytes of a cache. */
const cacheBytes: Record<string, (heads: number, capacity: number, dh: number) => number> = {
  f32: (heads, capacity, dh) => 4 * heads * capacity * dh,
  f16: (heads, capacity, dh) => 2 * heads * capacity * dh,
  i8: (heads, capacity, dh) => i8Cache(heads, capacity, dh).bytes,
};

function make(variant: string, fill: string, { rows, heads, dh, pos = 1, gap = 0 }: Shape, poison = -1): Case {
  const capacity = pos + rows + 2;
  const stride = heads * dh + gap;
  const bytes = cacheBytes[variant](heads, capacity, dh);
  const poisoned = (x: Float32Array) => (poison < 0 ? x : x.fill(Number.NaN, poison, poison + 1));
  return {
    name: `${fill}${poison < 0 ? "" : `, NaN at ${poison}`}, rows ${rows}, ${heads} heads of ${dh}, pos ${pos}${gap ? `, gap ${gap}` : ""}`,
    variant,
    rows,
    values: { heads, dh, capacity, pos },
    strides: { k: stride, v: stride },
    tensors: () => ({
      k: poisoned(fills[fill](rows * stride, dh)),
      v: fills[fill](rows * stride, dh + 1),
      kcache: new Uint8Array(bytes).fill(0x55),
      vcache: new Uint8Array(bytes).fill(0x66),
    }),
    compare: { kcache: "exact", vcache: "exact" },
  };
}

const of = (variant: string): Case[] => [
  ...[1, 3, 4, 5, 32, 64, 127].map((dh) => make(variant, "normal", { rows: 1, heads: 3, dh })),
  ...[0, 14, 15, 16, 31].map((pos) => make(variant, "normal", { rows: 3, heads: 2, dh: 24, pos })),
  ...Object.keys(fills).map((fill) => make(variant, fill, { rows: 3, heads: 2, dh: 70, gap: 6 })),
  ...["anyBits", "ties"].map((fill) => make(variant, fill, { rows: 4, heads: 1, dh: 512, pos: 0 })),
  make(variant, "normal", { rows: 0, heads: 2, dh: 8 }),
  make(variant, "normal", { rows: 2, heads: 2, dh: 10 }, 3),
  make(variant, "normal", { rows: 2, heads: 2, dh: 10 }, 9),
];

export const cases: Case[] = [...of("f32"), ...of("f16"), ...of("i8")];
