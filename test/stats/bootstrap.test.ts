// Bootstrap intervals: repeatable, covering what they claim to cover, and paired where the two sides share their noise.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { bootstrap, bootstrapDifference, bootstrapRatio } from "../../runtime/stats/bootstrap.ts";
import { mean, median, quantile } from "../../runtime/stats/quantile.ts";

const random = createRandom(11);
/** Sum of twelve uniforms less six: close to the standard normal. */
const normal = () => Array.from({ length: 12 }, () => random.f64()).reduce((a, b) => a + b, -6);
const normals = (n: number, centre = 0) => Array.from({ length: n }, () => centre + normal());

test("the value is the statistic of the samples themselves", () => {
  const samples = normals(41);
  expect(bootstrap(samples, "median").value).toBe(median(samples));
  expect(bootstrap(samples, "mean").value).toBeCloseTo(mean(samples), 12);
  expect(bootstrap(samples, 0.95).value).toBeCloseTo(quantile(samples, 0.95), 12);
});

test("the interval holds the value, and a higher level is wider", () => {
  const samples = normals(50, 100);
  const narrow = bootstrap(samples, "median", { level: 0.5 });
  const wide = bootstrap(samples, "median", { level: 0.99 });
  expect(narrow.low).toBeLessThanOrEqual(narrow.value);
  expect(narrow.high).toBeGreaterThanOrEqual(narrow.value);
  expect(wide.high - wide.low).toBeGreaterThan(narrow.high - narrow.low);
});

test("the same seed gives the same interval, another seed another", () => {
  const samples = normals(30);
  expect(bootstrap(samples, "mean", { seed: 5 })).toEqual(bootstrap(samples, "mean", { seed: 5 }));
  expect(bootstrap(samples, "mean", { seed: 5 })).not.toEqual(bootstrap(samples, "mean", { seed: 6 }));
});

test.each(["mean", "median", 0.75] as const)("a 95 %% interval of the %s covers the truth about 95 times in 100", (statistic) => {
  const truth = statistic === 0.75 ? 0.6745 : 0;
  let covered = 0;
  for (let i = 0; i < 300; i++) {
    const { low, high } = bootstrap(normals(40), statistic, { resamples: 300, seed: i });
    if (low <= truth && truth <= high) covered++;
  }
  expect(covered / 300).toBeGreaterThan(0.88);
  expect(covered / 300).toBeLessThanOrEqual(0.99);
});

test("samples that are all equal have an interval of no width", () => {
  expect(bootstrap([7, 7, 7, 7], "median")).toEqual({ value: 7, low: 7, high: 7 });
  expect(bootstrap([7], "mean")).toEqual({ value: 7, low: 7, high: 7 });
});

test("pairing cancels the noise that both sides share", () => {
  const noise = Array.from({ length: 60 }, () => 20 * random.f64());
  const a = noise.map((v) => 100 + v + 0.1 * normal());
  const b = noise.map((v) => 99 + v + 0.1 * normal());
  const { value, low, high } = bootstrapDifference(a, b, "mean");
  expect(value).toBeCloseTo(1, 1);
  expect(high - low).toBeLessThan(0.2);
  const ratio = bootstrapRatio(a, b, "median");
  expect(ratio.value).toBeCloseTo(median(a) / median(b), 12);
  expect(ratio.high - ratio.low).toBeLessThan(0.02);
});

test.each([
  ["no samples", () => bootstrap([], "mean")],
  ["a level of 1", () => bootstrap([1], "mean", { level: 1 })],
  ["no resamples", () => bootstrap([1], "mean", { resamples: 0 })],
  ["a quantile above 1", () => bootstrap([1], 95)],
  ["pairs of different length", () => bootstrapDifference([1, 2], [1], "mean")],
  ["a ratio to zero", () => bootstrapRatio([1, 2], [1, 0], "mean")],
])("%s: refused", (_, call) => {
  expect(call).toThrowError(expect.objectContaining({ code: "usage" }));
});
