// Error of the elementary functions over dense grids, on the scalar build (the others give its bits: kernels.test.ts). The bounds are those
// that assembly/lib/*.scalar.ts state. exp itself is seen through silu: x / (1 + e^(−x)) is x / e^(−x) where e^(−x) is large.
import { expect, test } from "vitest";
import { ACTIVATIONS } from "../../runtime/ops/activate/op.ts";
import { runKernel, runReference } from "./harness.ts";
import { f32Case } from "./rows.ts";

interface Grid {
  readonly op: string;
  readonly input: string;
  readonly values: Readonly<Record<string, number>>;
  readonly from: number;
  readonly to: number;
  /** Greatest error: relative (results above 1e-36), absolute. */
  readonly rel?: number;
  readonly abs?: number;
}

const activation = (name: (typeof ACTIVATIONS)[number]) => ({ op: "activate", input: "g", values: { kind: ACTIVATIONS.indexOf(name) } });
const tanh = { op: "softcap", input: "x", values: { cap: 1 } };

const GRIDS: Record<string, Grid> = {
  "silu, so exp": { ...activation("silu"), from: -80, to: 90, rel: 2e-7 },
  "silu near 0": { ...activation("silu"), from: -1, to: 1, rel: 2e-7 },
  "sigmoid": { ...activation("sigmoid"), from: -80, to: 40, rel: 2e-7 },
  "tanh": { ...tanh, from: -12, to: 12, rel: 4.5e-7 },
  "tanh near 0": { ...tanh, from: -0.5, to: 0.5, rel: 4.5e-7 },
  "gelu": { ...activation("gelu"), from: -12, to: 12, abs: 6e-7 },
  "gelu near 0": { ...activation("gelu"), from: -0.5, to: 0.5, rel: 8e-7 },
  "gelu_tanh": { ...activation("gelu_tanh"), from: -12, to: 12, abs: 7e-7 },
  "gelu_tanh near 0": { ...activation("gelu_tanh"), from: -1, to: 1, rel: 3e-7 },
};

const POINTS = 200_003;

test.each(Object.entries(GRIDS))("%s", (_, g) => {
  const x = Float32Array.from({ length: POINTS }, (_, i) => g.from + ((g.to - g.from) * i) / (POINTS - 1));
  const c = f32Case({ name: "grid", rows: 1, k: POINTS, values: g.values, inputs: () => ({ [g.input]: x.slice() }), streams: [g.input], bound: "exact" });
  const got = runKernel("scalar", `${g.op}_f32__scalar`, g.op, c, { units: 1, skew: 0 }).y;
  const want = runReference(g.op, c).y;
  let abs = 0;
  let rel = 0;
  for (let i = 0; i < POINTS; i++) {
    const d = Math.abs(got[i] - want[i]);
    abs = Math.max(abs, d);
    if (Math.abs(want[i]) > 1e-36) rel = Math.max(rel, d / Math.abs(want[i]));
  }
  if (g.rel) expect(rel).toBeLessThan(g.rel);
  if (g.abs) expect(abs).toBeLessThan(g.abs);
});
