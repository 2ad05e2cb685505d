// Quantiles are type 7, as R's quantile() and NumPy's default give them.
import { expect, test } from "vitest";
import { mean, median, medianAbsoluteDeviation, quantile, quantileOfSorted } from "../../runtime/stats/quantile.ts";

test.each([
  [0, 1],
  [0.25, 2.25],
  [0.5, 4],
  [0.9, 8.5],
  [0.95, 9.25],
  [1, 10],
])("numpy.quantile([1, 2, 3, 5, 7, 10], %s) = %s", (p, expected) => {
  expect(quantile([10, 2, 7, 1, 5, 3], p)).toBeCloseTo(expected, 12);
});

test("one sample is all of its quantiles", () => {
  expect([0, 0.3, 1].map((p) => quantile([4], p))).toEqual([4, 4, 4]);
});

test("the median lies halfway between the two in the middle", () => {
  expect(median([1, 9, 3, 4])).toBe(3.5);
});

test("median absolute deviation, not scaled", () => {
  expect(medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
});

test("typed arrays do, and the input keeps its order", () => {
  const samples = new Float32Array([3, 1, 2]);
  expect(median(samples)).toBe(2);
  expect([...samples]).toEqual([3, 1, 2]);
});

test("the mean does not depend on the order of the samples", () => {
  const samples = [1e16, 1, -1e16, 3, 0.1];
  expect(mean(samples)).toBe(mean(samples.toReversed()));
  expect(mean([1, 2, 6])).toBe(3);
});

test.each([[[]], [[1, Number.NaN]], [[Infinity]]])("samples %j are refused", (samples) => {
  expect(() => median(samples)).toThrowError(expect.objectContaining({ code: "usage" }));
});

test.each([-0.1, 1.1, Number.NaN])("the quantile %s is refused", (p) => {
  expect(() => quantileOfSorted([1, 2], p)).toThrowError(expect.objectContaining({ code: "usage" }));
});
