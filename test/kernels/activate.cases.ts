// activate. Error of the f32 variant: silu and gelu_tanh are one exp (1e-7 of itself, and the rounding of its argument, which a large
// argument magnifies), a sum and a quotient; gelu is a polynomial of absolute error 1.5e-7 in erf (Abramowitz & Stegun 7.1.26), times x.
// Results below 1e-36 may vanish.
import { ACTIVATIONS, type Activation } from "../../runtime/ops/activate/op.ts";
import { normal } from "../support/data.ts";
import type { Bound, Case } from "./case.ts";
import { allVariants, f32Case, LADDER, type RowCase, rangedCase } from "./rows.ts";

const BOUNDS: Record<Activation, Bound> = {
  silu: { abs: 1e-36, rel: 6e-7 },
  gelu: { abs: 2e-6, rel: 6e-7 },
  gelu_tanh: { abs: 2e-6, rel: 6e-7 },
  relu: { abs: 0, rel: 1e-7 },
  relu2: { abs: 0, rel: 2e-7 },
  sigmoid: { abs: 1e-36, rel: 6e-7 },
};

interface Options {
  readonly gated?: boolean;
  readonly scale?: number;
  readonly gap?: number;
  readonly special?: readonly number[];
}

function make(kind: Activation, rows: number, k: number, { gated = false, scale = 3, gap = 0, special = [] }: Options = {}): RowCase {
  const n = rows * (k + gap);
  return {
    name: `${kind}${gated ? ", gated" : ""}${special.length ? ", special values" : ""}, scale ${scale}`,
    rows,
    k,
    gap,
    values: { kind: ACTIVATIONS.indexOf(kind) },
    inputs: () => {
      const g = normal(n, 1, scale);
      g.set(special);
      return { g, ...(gated ? { u: normal(n, 2) } : {}) };
    },
    streams: gated ? ["g", "u"] : ["g"],
    bound: BOUNDS[kind],
  };
}

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 88.3, -88.3, 88.4, -88.4, -87.3, -87.4, 1e38, -1e38, 1e-40, -1e-40, 9.2, -9.2];

export const cases: Case[] = [
  ...LADDER.flatMap((k) => [make("silu", 1, k, { gated: true }), make("gelu_tanh", 3, k, { gap: 8 })]).flatMap(allVariants),
  ...ACTIVATIONS.flatMap((kind) => [make(kind, 2, 50, { gap: 4 }), make(kind, 2, 50, { gated: true }), make(kind, 1, 67, { scale: 0.01 })]).flatMap(allVariants),
  ...ACTIVATIONS.flatMap((kind) => [make(kind, 1, 400, { scale: 30 }), make(kind, 1, 21, { special: SPECIAL })]).map(f32Case),
  f32Case(make("silu", 0, 8)),
  ...[0, 0.5, 4].map((range) => rangedCase(make("silu", 3, 65, { gated: true }), range)),
];
