// layernorm. Error of the f32 variant: mean and variance are sums of k terms in four lanes, k/4 + 2 roundings each. The mean's error is
// relative to the mean of |x|, so the bound is absolute: that error times the reciprocal deviation, times the weight (below 4).
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { allVariants, LADDER, ROUNDING, type RowCase, rangedCase } from "./rows.ts";

interface Options {
  readonly gap?: number;
  readonly scale?: number;
  readonly shift?: number;
  readonly bias?: boolean;
  readonly poison?: number;
}

function make(name: string, rows: number, k: number, { gap = 0, scale = 1, shift = 0, bias = false, poison }: Options = {}): RowCase {
  const mean = Math.abs(shift) / scale + 1;
  return {
    name: bias ? `${name}, bias` : name,
    rows,
    k,
    gap,
    values: { eps: Math.fround(1e-5) },
    inputs: () => {
      const x = normal(rows * (k + gap), k, scale).map((v) => v + shift);
      if (poison !== undefined) x[Math.min(1, k - 1)] = poison;
      return { x, weight: normal(k, 2), ...(bias ? { bias: normal(k, 3) } : {}) };
    },
    streams: ["x"],
    bound: { abs: (k / 4 + 8) * ROUNDING * 4 * mean, rel: (k / 4 + 8) * ROUNDING },
  };
}

const all = [
  ...LADDER.map((k) => make("normal", 1, k)),
  ...LADDER.map((k) => make("gaps", 3, k, { gap: 8, bias: true })),
  make("far from zero", 2, 65, { shift: 50 }),
  make("huge", 2, 65, { scale: 1e15 }),
  make("zero", 2, 33, { scale: 1e-30, bias: true }),
  make("NaN", 1, 21, { poison: Number.NaN }),
  make("no rows", 0, 16),
].flatMap(allVariants);

export const cases: Case[] = [...all, ...[0, 0.5, 4].map((range) => rangedCase(make("normal", 3, 65), range))];
