// Reference of `activate` in f64.
import type { Operands } from "../define.ts";
import { writeRow } from "../output.ts";
import { ACTIVATIONS, type Activation } from "./op.ts";

/** 2/√π Σ (−1)ⁿ z^(2n+1) / (n! (2n + 1)): converges fast enough, and loses few enough digits, for |z| ≤ 3. */
function erfSeries(z: number): number {
  let sum = 0;
  let term = z;
  for (let n = 0; Math.abs(term) > 1e-18 * Math.abs(z); n++) {
    sum += term / (2 * n + 1);
    term *= (-z * z) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** erfc z for z > 3: e^(−z²)/√π · 1/(z + (1/2)/(z + 1/(z + (3/2)/(z + …)))). */
function erfcFraction(z: number): number {
  let f = z;
  for (let n = 60; n > 0; n--) f = z + n / 2 / f;
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / f;
}

/** Normal distribution function. */
export function phi(x: number): number {
  const z = x / Math.SQRT2;
  if (z < -3) return 0.5 * erfcFraction(-z);
  return z > 3 ? 1 - 0.5 * erfcFraction(z) : 0.5 * (1 + erfSeries(z));
}

export const FUNCTIONS: Record<Activation, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) => x * phi(x),
  // x·(1 + tanh u)/2 is x / (1 + e^(−2u))
  gelu_tanh: (x) => x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  relu2: (x) => Math.max(x, 0) ** 2,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

export function reference(o: Operands, variant: string): void {
  const { g, u } = o.tensors as Record<string, Float32Array>;
  const { rows, gs, us, k, kind } = o.values;
  const f = FUNCTIONS[ACTIVATIONS[kind]];
  for (let r = 0; r < rows; r++) {
    const row = Array.from(g.subarray(r * gs, r * gs + k), f);
    writeRow(o, variant, r, u ? row.map((v, i) => v * u[r * us + i]) : row);
  }
}
