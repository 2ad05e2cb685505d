// The governor with made-up timings: all lanes while they pay, one while they do not, and back.
import { expect, test } from "vitest";
import { Governor } from "../../targets/devices/wasm/governor.ts";

/** Feeds `count` executions; `one` and `all` are the milliseconds they take. Returns the lanes each was given. */
function run(g: Governor, count: number, one: number, all: number, key = "decode"): number[] {
  return Array.from({ length: count }, () => {
    const lanes = g.next(key);
    g.done(key, lanes, lanes === 1 ? one : all);
    return lanes;
  });
}

const only = (lanes: number, count: number) => new Array(count).fill(lanes);
/** Warm-up on all lanes, then a few on one to learn what that takes. */
const START = [...only(4, 4), ...only(1, 4)];

test("one lane is one lane", () => {
  const g = new Governor(1);
  expect(run(g, 50, 1, 100)).toEqual(only(1, 50));
  expect(g.oneLane, "nothing was held back").toBe(0);
});

test("all lanes stay while they are faster", () => {
  const g = new Governor(4);
  expect(run(g, 200, 10, 4)).toEqual([...START, ...only(4, 192)]);
  expect(g.oneLane).toBe(4);
});

test("stalled executions do not take the lanes away while most are fast", () => {
  const g = new Governor(4);
  run(g, 8, 10, 5);
  for (let i = 0; i < 60; i++) run(g, 1, 10, i % 4 === 2 ? 80 : 5);
  expect(g.oneLane, "only those of the learning").toBe(4);
});

test("one lane's time is its median: a lucky execution among those that teach it does not count", () => {
  const g = new Governor(4);
  run(g, 4, 10, 8);
  for (const ms of [10, 6, 10, 10]) run(g, 1, ms, 8);
  expect(run(g, 60, 10, 8)).toEqual(only(4, 60));
});

test("a gain of less than a twentieth is none", () => {
  expect(run(new Governor(4), 60, 10, 9.4).slice(8)).toEqual(only(4, 52));
  expect(run(new Governor(4), 60, 10, 9.6).slice(8)).not.toEqual(only(4, 52));
});

test("drops to one lane when all are slower, tries all again after longer and longer spells", () => {
  const g = new Governor(4);
  const tried = only(4, 4);
  const seen = run(g, 300, 10, 12);
  const spells = [8, 16, 32, 64, 64].flatMap((spell) => [...tried, ...only(1, spell)]);
  expect(seen).toEqual([...START, ...spells, ...tried, ...only(1, 64), ...tried, ...only(1, 16)].slice(0, 300));
  expect(g.oneLane).toBe(seen.filter((l) => l === 1).length);
});

test("a hopeless trial ends with its first execution", () => {
  const seen = run(new Governor(4), 60, 10, 30);
  expect(seen).toEqual([...START, 4, ...only(1, 8), 4, ...only(1, 16), 4, ...only(1, 25)]);
});

test("the first execution of a trial is not judged: its lanes wake on cold caches", () => {
  const g = new Governor(4);
  run(g, 12, 10, 12); // dropped
  run(g, 8, 10, 0); // alone
  expect([...run(g, 1, 10, 14), ...run(g, 60, 10, 5)]).toEqual(only(4, 61));
});

test("after a good trial a later slowdown is met as the first was", () => {
  const g = new Governor(4);
  run(g, 20, 10, 12);
  expect(run(g, 44, 10, 4)).toEqual(only(4, 44));
  expect(run(g, 17, 10, 12)).toEqual([...only(4, 8), ...only(1, 8), 4]);
});

test("warm-up says nothing: slow first executions do not count", () => {
  const g = new Governor(4);
  run(g, 4, 1000, 1000);
  expect(run(g, 100, 10, 4)).toEqual([...only(1, 4), ...only(4, 96)]);
});

test("while it is on one lane it learns anew what that takes", () => {
  const g = new Governor(4);
  run(g, 12, 10, 12); // dropped
  run(g, 8, 40, 0); // one lane now takes 40
  expect(run(g, 20, 40, 30)).toEqual(only(4, 20));
});

test("each plan is judged on its own", () => {
  const g = new Governor(4);
  run(g, 12, 10, 12, "decode");
  expect(g.next("decode")).toBe(1);
  expect(run(g, 30, 10, 4, "prefill").slice(8)).toEqual(only(4, 22));
  expect(g.next("decode")).toBe(1);
});
