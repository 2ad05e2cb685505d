// Error of softplus and of the scan's exponential over dense grids, on the scalar build (the others give its bits: kernels.test.ts). The
// bounds are those that assembly/lib/softplus.scalar.ts and scan.scalar.ts state.
import { expect, test } from "vitest";
import { scheme } from "../../runtime/quant/f32.ts";
import { packed } from "./blocks.ts";
import { runKernel } from "./harness.ts";

const CHANNELS = 1000;

/** One row of `CHANNELS` channels with one state: what scan makes of the steps, of states that are 1 and of a. */
function scan(dt: Float32Array, a: Float32Array): { delta: Float32Array; decay: Float32Array } {
  const flat = (v: number) => new Float32Array(CHANNELS).fill(v);
  const got = runKernel(
    "scalar",
    "scan_f32__scalar",
    "scan",
    {
      name: "grid",
      variant: "f32",
      rows: 1,
      values: { channels: CHANNELS, states: 1 },
      strides: { x: CHANNELS, dt: CHANNELS, z: CHANNELS, y: CHANNELS, b: 1, c: 1 },
      tensors: () => ({
        ...{ x: flat(0), dt: dt.slice(), bias: flat(0), d: flat(0), z: flat(0), y: flat(0) },
        ...{ a: packed(a, CHANNELS, 1), b: new Float32Array(1), c: new Float32Array(1), hidden: packed(flat(1), CHANNELS, 1) },
      }),
      compare: { dt: "exact", hidden: "exact" },
    },
    { units: 1, skew: 0 },
  );
  return { delta: got.dt as Float32Array, decay: scheme.decode(got.hidden as Uint8Array, CHANNELS, 1) };
}

/** Greatest relative error over [from, to]. */
function worst(from: number, to: number, rounds: number, of: (grid: Float32Array) => { got: Float32Array; want: (i: number) => number }): number {
  let most = 0;
  for (let round = 0; round < rounds; round++) {
    const grid = Float32Array.from({ length: CHANNELS }, (_, i) => from + ((to - from) * (i * rounds + round)) / (CHANNELS * rounds));
    const { got, want } = of(grid);
    for (let i = 0; i < CHANNELS; i++) most = Math.max(most, Math.abs(got[i] - want(i)) / want(i));
  }
  return most;
}

test.each([
  [-80, 80],
  [-8, 8],
  [-1, 1],
])("softplus in [%i, %i]", (from, to) => {
  const none = new Float32Array(CHANNELS);
  const error = worst(from, to, 100, (grid) => ({ got: scan(grid, none).delta, want: (i) => Math.log1p(Math.exp(grid[i])) }));
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(5e-7);
});

// The step is 1, of which softplus is 1 to the last bit or two; a is the exponent.
test.each([
  [-1, 0],
  [-80, 0],
])("e^a in [%i, %i], but for the rounding of its argument", (from, to) => {
  const step = new Float32Array(CHANNELS).fill(Math.log(Math.E - 1));
  const error = worst(from, to, 100, (grid) => {
    const { delta, decay } = scan(step, grid);
    const log2e = Math.fround(Math.LOG2E);
    return { got: decay, want: (i) => 2 ** Math.fround(Math.fround(delta[i] * log2e) * grid[i]) };
  });
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(2e-7);
});
