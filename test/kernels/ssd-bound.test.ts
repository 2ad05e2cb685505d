// Both forms of Mamba-2's scan, one row after the other and by chunks, against f64 and the bound that runtime/ops/ssd/op.ts states.
import { expect, test } from "vitest";
import type { OperandArray } from "../../runtime/ops/define.ts";
import { CHUNK } from "../../runtime/ops/ssd/chunks.ts";
import { scheme } from "../../runtime/quant/f32.ts";
import { SINGLE_BUILDS } from "../support/core.ts";
import type { Case } from "./case.ts";
import { kernelsFor, runKernel } from "./harness.ts";
import { prompt } from "./ssd.cases.ts";

const HEADS = 2;

interface Scan {
  /** [rows, heads·dh]. */
  readonly y: Float64Array;
  /** [heads·dh, states]. */
  readonly h: Float64Array;
}

const softplus = (v: number) => (v > 30 ? v : Math.log1p(Math.exp(v)));

/** The recurrence in f64 over one group of heads; of magnitudes, with rates times `slow`, it says how large what was summed can be. */
function scan({ rows, values: { dh, states } }: Case, t: Record<string, OperandArray>, of: (v: number) => number, slow: number): Scan {
  const channels = HEADS * dh;
  const h = Float64Array.from(scheme.decode(t.hidden as Uint8Array, channels, states), of);
  const y = new Float64Array(rows * channels);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < channels; i++) {
      const head = Math.floor(i / dh);
      const delta = softplus(Math.fround(t.dt[r * HEADS + head] + t.bias[head]));
      const x = of(t.x[r * channels + i]);
      let sum = of(t.d[head]) * x;
      for (let n = 0; n < states; n++) {
        const at = i * states + n;
        h[at] = Math.exp(delta * t.a[head] * slow) * h[at] + delta * x * of(t.b[r * states + n]);
        sum += of(t.c[r * states + n]) * h[at];
      }
      y[r * channels + i] = sum;
    }
  return { y, h };
}

/** Largest error over its bound. */
const worst = (got: OperandArray, want: Float64Array, most: Float64Array, bound: number) => want.reduce((m, v, i) => Math.max(m, Math.abs(got[i] - v) / (bound * most[i])), 0);

const SHAPES = [
  [CHUNK, 16, 16],
  [5 * CHUNK, 16, 64],
  [9 * CHUNK + 5, 32, 128],
] as const;

test.each(SHAPES.flatMap((s) => (["f32", "chunks"] as const).map((variant) => [...s, variant] as const)))(
  "%i rows, heads of %i, %i states, %s: within (states + 4 · rows + 24) · 2^-24 of all that is summed, and not far below",
  (rows, dh, states, variant) => {
    const c = prompt(variant, rows, HEADS, dh, states);
    const operands = c.tensors();
    const exact = scan(c, operands, (v) => v, 1);
    const all = scan(c, operands, Math.abs, 1 / 2);
    for (const build of SINGLE_BUILDS)
      for (const kernel of kernelsFor(build, "ssd", variant)) {
        const got = runKernel(build, kernel, "ssd", c, { units: 2, skew: 0 });
        expect(worst(got.y, exact.y, all.y, (states + 4 * rows + 24) * 2 ** -24), `${kernel}, y`).toBeLessThan(1);
        expect(worst(got.hidden, exact.h, all.h, (4 * rows + 24) * 2 ** -24), `${kernel}, h`).toBeLessThan(1);
        // Sums of f32 are not those of f64: a bound that nothing comes near would say nothing.
        expect(worst(got.y, exact.y, all.y, 2 ** -24), `${kernel}, y`).toBeGreaterThan(0.1);
      }
  },
);
