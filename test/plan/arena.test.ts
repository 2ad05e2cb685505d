// Values that live at the same time never share bytes; others may.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Lifetime, placeArena } from "../../runtime/plan/arena.ts";

const value = (name: string, bytes: number, from: number, to: number): Lifetime => ({ name, bytes, from, to });

test("one after the other share, at the same time do not", () => {
  const { offsets, bytes } = placeArena([value("a", 100, 0, 1), value("b", 64, 1, 2), value("c", 100, 2, 3)]);
  expect(offsets.get("a")).toBe(offsets.get("c"));
  expect(offsets.get("b")).toBe(128);
  expect(bytes).toBe(192);
});

test("a hole is used when a value fits into it", () => {
  const { offsets, bytes } = placeArena([value("a", 640, 0, 1), value("b", 320, 0, 9), value("c", 192, 2, 3), value("d", 64, 2, 3)]);
  expect([offsets.get("b"), offsets.get("c"), offsets.get("d")]).toEqual([640, 0, 192]);
  expect(bytes).toBe(960);
});

test("nothing needs nothing", () => expect(placeArena([])).toEqual({ offsets: new Map(), bytes: 0 }));

test("any lifetimes: apart while they overlap, aligned, inside, and no larger than all side by side", () => {
  const lifetimes = fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(30), fc.nat(10)), { maxLength: 40 });
  fc.assert(
    fc.property(lifetimes, (drawn) => {
      const values = drawn.map(([bytes, from, length], i) => value(`v${i}`, bytes, from, from + length));
      const { offsets, bytes } = placeArena(values);
      const at = (v: Lifetime) => offsets.get(v.name) as number;
      for (const [i, a] of values.entries()) {
        expect(at(a) % 64).toBe(0);
        expect(at(a) + a.bytes).toBeLessThanOrEqual(bytes);
        for (const b of values.slice(0, i))
          if (a.from <= b.to && b.from <= a.to) expect(at(a) + a.bytes <= at(b) || at(b) + b.bytes <= at(a), `${a.name} and ${b.name}`).toBe(true);
      }
      expect(bytes).toBeLessThanOrEqual(values.reduce((sum, v) => sum + Math.ceil(v.bytes / 64) * 64, 0));
    }),
    { numRuns: 300, seed: 3 },
  );
});
