// How goals of single kernels are judged: shares of a limit, and ratios to our own dense kernels, out of samples made up here.
import { expect, test } from "vitest";
import type { Samples } from "../../tools/bench/kernels/run.ts";
import type { Measured } from "../../tools/goals/goal.ts";
import { overDense, share } from "../../tools/goals/kernels/microbench.ts";
import { speedOver } from "../../tools/goals/kernels/system.ts";

const nothing = () => {};
const timed = { pass: 1, prepare: nothing, run: nothing };

/** A kernel of 2 steps of 10⁶ multiply-adds and 500 000 bytes, whose samples all take `ms`. */
function kernel(scheme: string, ms: number, act = "i8tok"): Samples["kernels"][number] {
  const of = { ...timed, kernel: `gemv_${scheme}__simd`, scheme, act, tokens: 1, state: "cold" as const, steps: 2, macs: 1e6, bytes: 500_000, once: nothing };
  return { of, ms: new Float64Array(8).fill(ms) };
}

const limit = (name: string, unit: "GB/s" | "GMAC/s", work: number, ms: number) => ({ of: { ...timed, name, title: name, work, unit }, ms: new Float64Array(8).fill(ms) });

const samples = (kernels: Samples["kernels"], build = "relaxed"): Samples => ({
  build,
  threads: 1,
  limits: [limit("read", "GB/s", 4e6, 2), limit("i16dot", "GMAC/s", 8e6, 1)],
  kernels,
});

test("a share of the stream counts bytes, one of a peak multiply-adds; the fastest kernel counts", () => {
  const run = samples([kernel("q4g32", 1), kernel("q8", 0.8), kernel("q8g32", 1)]);
  expect(share(/^q4g32$/, "read", true)(run)).toMatchObject({ value: 0.5, low: 0.5, high: 0.5, note: "gemv_q4g32__simd in build relaxed" });
  expect(share(/^q4g32$/, "i16dot", true)(run)).toMatchObject({ value: 0.25 });
  expect((share(/^q8/, "read", false)(run) as Measured).value).toBeCloseTo(0.625);
});

test("a kernel that is not there, or an engine without relaxed SIMD, is absent with its reason", () => {
  expect(share(/^q9$/, "read", false)(samples([kernel("q8", 1)]))).toEqual({ absent: "no such kernel in this build" });
  expect(share(/^q8$/, "read", true)(samples([kernel("q8", 1)], "simd"))).toEqual({ absent: "this engine has no relaxed SIMD" });
  expect(overDense(/^t2$/, "4")(samples([kernel("q4g32", 1)]))).toEqual({ absent: "no such kernel in this build" });
});

test("own dense: as many bits, every weight kept, the same activations if any kernel has them; the fastest counts", () => {
  const dense = [kernel("q4g32", 1), kernel("q4g128", 0.9), kernel("q4g32m", 1.2), kernel("q8", 0.1), kernel("q4s24", 0.1)];
  expect(overDense(/^t2$/, "4")(samples([...dense, kernel("t2", 0.6)]))).toMatchObject({ value: 1.5, note: "gemv_t2__simd over gemv_q4g128__simd in build relaxed" });
  const other = [...dense, kernel("q4g64", 1.5, "u7tok"), kernel("t2", 0.6, "u7tok")];
  expect(overDense(/^t2$/, "4")(samples(other))).toMatchObject({ note: "gemv_t2__simd over gemv_q4g64__simd in build relaxed" });
  expect(overDense(/^t2$/, "4")(samples([...dense, kernel("t2", 0.6, "u7tok")]))).toMatchObject({ value: 1.5 });
});

test("who takes half the time has twice the speed", () => {
  expect(speedOver([2, 2, 2, 2], [4, 4, 4, 4]).value).toBe(2);
  expect(speedOver([10, 10, 10], [5, 5, 5]).value).toBe(0.5);
});
