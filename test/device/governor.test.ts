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

test("one stalled execution does not take the lanes away", () => {
  const g = new Governor(4);
  run(g, 8, 10, 5);
  for (let i = 0; i < 40; i++) run(g, 1, 10, i % 4 === 2 ? 80 : 5);
  expect(g.oneLane, "only those of the learning").toBe(4);
});

test("a gain of less than a twentieth is none", () => {
  expect(run(new Governor(4), 30, 10, 9.4).slice(-10)).toEqual(only(4, 10));
  expect(run(new Governor(4), 30, 10, 9.6).slice(12, 20)).toEqual(only(1, 8));
});

test("drops to one lane when four in a row are slower, probes once, and waits longer each time", () => {
  const g = new Governor(4);
  const seen = run(g, 296, 10, 30);
  expect(seen.slice(0, 8)).toEqual(START);
  expect(seen.slice(8)).toEqual([...only(4, 4), ...only(1, 8), 4, ...only(1, 16), 4, ...only(1, 32), 4, ...only(1, 64), 4, ...only(1, 64), 4, ...only(1, 64), 4, ...only(1, 30)]);
  expect(g.oneLane).toBe(seen.filter((l) => l === 1).length);
});

test("a probe that is faster brings all lanes back, and a later slowdown is met as the first was", () => {
  const g = new Governor(4);
  run(g, 20, 10, 30);
  expect(run(g, 40, 10, 4)).toEqual(only(4, 40));
  expect(run(g, 13, 10, 30)).toEqual([...only(4, 4), ...only(1, 8), 4]);
});

test("one slow execution among fast ones changes nothing", () => {
  const g = new Governor(4);
  run(g, 8, 10, 4);
  for (let i = 0; i < 20; i++) expect([...run(g, 3, 10, 4), ...run(g, 1, 10, 20)]).toEqual(only(4, 4));
});

test("warm-up says nothing: slow first executions do not count", () => {
  const g = new Governor(4);
  run(g, 4, 1000, 1000);
  expect(run(g, 100, 10, 4)).toEqual([...only(1, 4), ...only(4, 96)]);
});

test("while it is on one lane it learns anew what that takes", () => {
  const g = new Governor(4);
  run(g, 12, 10, 30); // dropped
  run(g, 8, 40, 0); // one lane now takes 40
  expect(run(g, 20, 40, 30)).toEqual(only(4, 20));
});

test("each plan is judged on its own", () => {
  const g = new Governor(4);
  run(g, 12, 10, 30, "decode");
  expect(g.next("decode")).toBe(1);
  expect(run(g, 30, 10, 4, "prefill").slice(8)).toEqual(only(4, 22));
  expect(g.next("decode")).toBe(1);
});
