// Cores from counts: the golden vector of specs/coreinfer.md §9, ties, short sets, sizes, overlap.
import { expect, test } from "vitest";
import { coreOf, coreSize, overlap, ranked } from "../../runtime/cores/rank.ts";
import { createRandom } from "../../runtime/num/random.ts";

/** Of three tokens of the golden vector: counts and sums of values. */
const GOLDEN = { counts: Uint32Array.of(0, 1, 0, 0, 2, 0, 1, 2), mass: Float32Array.of(0, 6, 0, 0, 11, 0, 7, 9) };

test.each([
  [0.25, [4, 7]],
  [0.375, [4, 6, 7]],
])("beta %d: the core of the golden vector", (beta, want) => {
  expect([...coreOf(GOLDEN, coreSize(8, beta, 1))]).toEqual(want);
});

test("best first: by count, by mass, by number", () => {
  expect([...ranked(GOLDEN)]).toEqual([4, 7, 6, 1]);
  expect([...ranked({ counts: Uint32Array.of(1, 2, 2, 2), mass: Float32Array.of(9, 1, 3, 3) })]).toEqual([2, 3, 1, 0]);
});

test("the core is the beginning of the ranking, whatever its size", () => {
  const random = createRandom(3);
  const tally = { counts: Uint32Array.from({ length: 60 }, () => random.below(5)), mass: Float32Array.from({ length: 60 }, () => random.below(4)) };
  for (let size = 1; size <= 60; size++) expect(coreOf(tally, size)).toEqual(ranked(tally).slice(0, size).sort());
});

test("neurons that never counted are not in the core, however large it may be", () => {
  expect([...coreOf(GOLDEN, 8)]).toEqual([1, 4, 6, 7]);
  expect(coreOf({ counts: new Uint32Array(8), mass: new Float32Array(8) }, 8).length).toBe(0);
});

test.each([
  [1536, 0.2, 320],
  [1536, 0.01, 16],
  [96, 0.2, 32],
  [40, 1, 40],
  [8, 0.25, 8],
])("of %i neurons the share %d is %i, in whole blocks", (n, beta, want) => {
  expect(coreSize(n, beta)).toBe(want);
});

test("overlap is relative to the smaller set", () => {
  const of = (...v: number[]) => Uint32Array.from(v);
  expect(overlap(of(1, 2, 3, 4), of(2, 4))).toBe(1);
  expect(overlap(of(1, 2, 3, 4), of(4, 5))).toBe(0.5);
  expect(overlap(of(1), of(2))).toBe(0);
  expect(overlap(of(), of(2))).toBe(0);
});
