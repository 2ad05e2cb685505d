// softcap. Error: tanh (4e-7, relative) and three roundings.
import { normal } from "../support/data.ts";
import type { Case } from "./case.ts";
import { f32Case, LADDER, ROUNDING, type RowCase } from "./rows.ts";

const make = (name: string, rows: number, k: number, cap: number, scale: number, gap = 0, special?: number): RowCase => ({
  name: `${name}, cap ${cap}`,
  rows,
  k,
  gap,
  values: { cap },
  inputs: () => {
    const x = normal(rows * (k + gap), 1, scale);
    if (special !== undefined) x[0] = special;
    return { x };
  },
  streams: ["x"],
  bound: { abs: 1e-44, rel: 4e-7 + 3 * ROUNDING },
});

export const cases: Case[] = [
  ...LADDER.map((k) => make("normal", 2, k, 30, 20)),
  make("saturated", 1, 70, 30, 1e3),
  make("huge", 1, 70, 30, 1e38),
  make("small", 3, 33, 50, 1e-3, 8),
  make("tiny", 1, 33, 50, 1e-30),
  make("NaN", 1, 5, 30, 1, 0, Number.NaN),
  make("infinite", 1, 5, 30, 1, 0, Number.NEGATIVE_INFINITY),
  make("no rows", 0, 8, 30, 1),
].map(f32Case);
