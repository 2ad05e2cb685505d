// What counts as a steady run, and what a run that is not says about itself.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { judgeSteadiness, warmupLength } from "../../runtime/stats/steady.ts";

const random = createRandom(5);
/** n durations around `level` ± 1 %. */
const flat = (n: number, level = 10) => Array.from({ length: n }, () => level * (0.99 + 0.02 * random.f64()));

test("a flat run is steady and has no warm-up", () => {
  const { verdict, warmup, drift, cv } = judgeSteadiness(flat(60));
  expect({ verdict, warmup }).toEqual({ verdict: "steady", warmup: 0 });
  expect(Math.abs(drift)).toBeLessThan(0.01);
  expect(cv).toBeLessThan(0.02);
});

test("slow first samples are warm-up, and what follows is judged without them", () => {
  const result = judgeSteadiness([80, 40, 22, 14, ...flat(50)]);
  expect(result).toMatchObject({ verdict: "steady", warmup: 4 });
});

test("warm-up never takes more than half", () => {
  expect(warmupLength([9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5])).toBeLessThanOrEqual(5);
  expect(warmupLength([])).toBe(0);
});

test("one stalled sample in fifty does not make a run wander", () => {
  const samples = flat(50);
  samples[20] = 300;
  expect(judgeSteadiness(samples).verdict).toBe("steady");
});

test("slowing down all the way is throttling, with the figure", () => {
  const result = judgeSteadiness(flat(60).map((v, i) => v * (1 + i / 150)));
  expect(result.verdict).toBe("throttled");
  expect(result.reason).toMatch(/slowed down all the way, by 2\d\.\d %/);
});

test("a clock that fell is throttling even before the timings show it; the heat is named", () => {
  const result = judgeSteadiness(flat(60), { frequency: [2000, 2000, 2000, 1900, 1800, 1500, 1500, 1500], temperature: [61, 84, 97.2] });
  expect(result.verdict).toBe("throttled");
  expect(result.reason).toContain("clock fell by 25.0 %");
  expect(result.reason).toContain("97 °C");
});

test("a step down or a small step up is wandering", () => {
  expect(judgeSteadiness([...flat(40), ...flat(20, 9)]).verdict).toBe("wandered");
  expect(judgeSteadiness([...flat(20), ...flat(20), ...flat(20, 10.8)]).reason).toContain("slowed down by");
});

test("two speeds in turn are wandering by spread", () => {
  const result = judgeSteadiness(flat(60).map((v, i) => (i % 2 ? v : v * 1.6)));
  expect(result.verdict).toBe("wandered");
  expect(result.reason).toContain("coefficient of variation");
});

test("too few samples cannot be called steady", () => {
  expect(judgeSteadiness([1, 1, 1])).toMatchObject({ verdict: "wandered", reason: expect.stringContaining("only 3 samples") });
  expect(judgeSteadiness([]).verdict).toBe("wandered");
});

test("a sample that is not a number is refused", () => {
  expect(() => judgeSteadiness([1, Number.NaN])).toThrowError(expect.objectContaining({ code: "usage" }));
});
