// rmsnorm. Error of the f32 variant: the sum of k squares in four lanes errs by at most k/4 + 2 roundings of a positive sum, halved by the
// square root; the mean, eps, root, reciprocal, three more operations add 6.
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { allVariants, LADDER, ROUNDING, type RowCase, rangedCase } from "./rows.ts";

interface Options {
  readonly gap?: number;
  readonly scale?: number;
  readonly eps?: number;
  readonly offset?: number;
  readonly poison?: number;
}

function make(name: string, rows: number, k: number, { gap = 0, scale = 1, eps = 1e-5, offset = 0, poison }: Options = {}): RowCase {
  return {
    name,
    rows,
    k,
    gap,
    values: { eps: Math.fround(eps), offset },
    inputs: () => {
      const x = normal(rows * (k + gap), k, scale);
      if (poison !== undefined) x[Math.min(1, k - 1)] = poison;
      return { x, weight: normal(k, 2) };
    },
    streams: ["x"],
    bound: { abs: 1e-37, rel: (k / 8 + 8) * ROUNDING },
  };
}

const all = [
  ...LADDER.map((k) => make("normal", 1, k)),
  ...LADDER.map((k) => make("gaps, Gemma's offset", 3, k, { gap: 8, offset: 1 })),
  make("huge", 2, 65, { scale: 1e15 }),
  make("tiny: eps rules", 2, 65, { scale: 1e-25 }),
  make("zero", 2, 33, { scale: 0 }),
  make("NaN", 1, 21, { poison: Number.NaN }),
  make("infinite", 1, 21, { poison: Number.POSITIVE_INFINITY }),
  make("no rows", 0, 16),
].flatMap(allVariants);

export const cases: Case[] = [...all, ...[0, 0.5, 4].map((range) => rangedCase(make("normal", 3, 65), range))];
