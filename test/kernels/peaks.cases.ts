// peaks, exact: a run that is whole, short or alone, ties, both zeros, the greatest at either end of a run, values that are not finite.
import { peaksOf, SPAN } from "../../runtime/ops/peaks/op.ts";
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";

const make = (name: string, rows: number, k: number, gap = 0, special: Readonly<Record<number, number>> = {}): Case => {
  const [xs, blocks] = [k + gap, peaksOf(k)];
  return {
    name: `${name}, rows ${rows}, k ${k}, gap ${gap}`,
    variant: "f32",
    rows,
    values: { k, blocks },
    strides: { x: xs, y: blocks + gap },
    tensors: () => {
      const x = normal(rows * xs, 1);
      for (const [i, v] of Object.entries(special)) x[Number(i)] = v;
      return { x, y: new Float32Array(rows * (blocks + gap)).fill(7) };
    },
    compare: { y: "exact" },
  };
};

export const cases: Case[] = [
  ...[1, 3, SPAN - 1, SPAN, SPAN + 1, 5 * SPAN, 1003].map((k) => make("normal", 1, k)),
  make("rows apart", 3, 2 * SPAN + 5, 4),
  make("no rows", 0, SPAN),
  make("at either end of a run", 1, 3 * SPAN, 0, { 0: 50, [2 * SPAN - 1]: 60, [3 * SPAN - 1]: 60 }),
  make("all below zero", 1, SPAN, 0, Object.fromEntries(Array.from({ length: SPAN }, (_, i) => [i, -5 - (i % 7)]))),
  make("huge", 1, 2 * SPAN, 0, { 3: 3e38, 4: -3e38, [SPAN + 1]: -3e38 }),
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((v) => make(`${v} in a whole run and a short one`, 1, 2 * SPAN + 9, 0, { 17: v, [2 * SPAN + 8]: v })),
];
