// A goal is met, missed or absent; one that fails to measure is missed, and Ctrl-C ends the run.
import { expect, test } from "vitest";
import { AREAS } from "../../tools/goals/areas.gen.ts";
import type { Goal } from "../../tools/goals/goal.ts";
import { keeps, measureGoal } from "../../tools/goals/measure.ts";

const context = () => {
  const stop = new AbortController();
  return { stop, signal: stop.signal, note: () => {} };
};
const goal = (measure: Goal["measure"]): Goal => ({ id: "a.b", figure: "a figure", unit: "s", must: { op: "<=", value: 2 }, measure });

test("bounds", () => {
  expect([keeps(1, { op: "<=", value: 1 }), keeps(2, { op: "<=", value: 1 }), keeps(2, { op: ">=", value: 1 }), keeps(1, { op: "=", value: 1 })]).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect([keeps(Number.NaN, { op: "<=", value: 1 }), keeps(Number.NaN, { op: ">=", value: 1 })]).toEqual([false, false]);
});

test("met, missed, absent", async () => {
  expect(
    await measureGoal(
      goal(async () => ({ value: 1, low: 0.5, high: 1.5 })),
      context(),
    ),
  ).toMatchObject({ id: "a.b", value: 1, low: 0.5, high: 1.5, must: "<= 2", ok: true });
  expect(
    await measureGoal(
      goal(async () => ({ value: 3 })),
      context(),
    ),
  ).toMatchObject({ value: 3, low: null, high: null, ok: false });
  expect(
    await measureGoal(
      goal(async () => ({ absent: "no peer here" })),
      context(),
    ),
  ).toMatchObject({ value: null, ok: null, reason: "no peer here" });
});

test("a goal that throws is missed, with its message", async () => {
  const failing = goal(async () => {
    throw new Error("it broke");
  });
  expect(await measureGoal(failing, context())).toMatchObject({ ok: false, value: null, reason: "it broke" });
});

test("Ctrl-C ends the run", async () => {
  const c = context();
  c.stop.abort();
  await expect(
    measureGoal(
      goal(async () => ({ value: 1 })),
      c,
    ),
  ).rejects.toMatchObject({ code: "aborted" });
});

test("every goal has an id of its area, once", () => {
  const ids = Object.values(AREAS).flatMap((a) => a.goals.map((g) => ({ id: g.id, area: a.name })));
  expect(ids.every(({ id, area }) => id.startsWith(`${area}.`))).toBe(true);
  expect(new Set(ids.map((i) => i.id)).size).toBe(ids.length);
});
