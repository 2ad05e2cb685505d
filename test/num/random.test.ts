// The generator gives the published sequence, the same on every host, without bias.
import { expect, test } from "vitest";
import { createRandom, randomFromState } from "../../runtime/num/random.ts";

test("gives the sequence the authors publish for the state 1, 2, 3, 4", () => {
  const random = randomFromState(1, 2, 3, 4);
  expect(Array.from({ length: 6 }, () => random.u32())).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
});

test("one seed gives one sequence, kept here for ever", () => {
  const random = createRandom(42);
  expect(Array.from({ length: 4 }, () => random.u32())).toEqual([2814828936, 2460391253, 2345812955, 2146984579]);
});

test("neighbouring seeds, and seeds that differ above bit 32, give unrelated sequences", () => {
  const first = (seed: number) => createRandom(seed).u32();
  const seeds = [...Array.from({ length: 1000 }, (_, i) => i), ...Array.from({ length: 1000 }, (_, i) => i * 2 ** 32 + 7)];
  const words = seeds.map(first);
  expect(new Set(words).size).toBeGreaterThan(1990);
  const mean = words.reduce((a, b) => a + b, 0) / words.length / 2 ** 32;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test("f64 lies in [0, 1) with mean 1/2 and variance 1/12", () => {
  const random = createRandom(1);
  const values = Array.from({ length: 100_000 }, () => random.f64());
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  expect(values.every((v) => v < 1)).toBe(true);
  expect(mean).toBeCloseTo(0.5, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
});

test("below(n) reaches every value equally often", () => {
  const random = createRandom(3);
  const counts = new Array(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.below(7)]++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  expect(random.below(1)).toBe(0);
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])("seed %s is refused", (seed) => {
  expect(() => createRandom(seed)).toThrowError(expect.objectContaining({ code: "usage" }));
});

test("an impossible bound and the all-zero state are refused", () => {
  expect(() => createRandom(1).below(0)).toThrowError(expect.objectContaining({ code: "usage" }));
  expect(() => randomFromState(0, 0, 0, 0)).toThrowError(expect.objectContaining({ code: "usage" }));
});
