// The executor with real worker threads: plans of many small steps, cut into many units, give exactly what plain arrays give.
import { expect, test } from "vitest";
import type { Program } from "../../runtime/plan/device.ts";
import { openWasm } from "../../targets/devices/wasm/device.ts";
import type { Host } from "../../targets/hosts/host.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { random } from "../support/data.ts";
import { allocate, type Elementwise, elementwisePlan, floats, interpret } from "../support/plans.ts";

/** A clock that stands still: the governor sees no gain in one lane, so that nearly all executions are shared by all. */
const still: Host = { ...host, now: () => 0 };
const ROWS = 32;
const K = 12;
const BUFFERS = ["p", "q", "r", "s", "t"];

function randomSteps(next: () => number, count: number): Elementwise[] {
  const pick = () => BUFFERS[Math.floor(next() * BUFFERS.length)];
  return Array.from({ length: count }, (_, i) => {
    const y = pick();
    const op = next() < 0.7 ? "add" : "copy";
    return { name: `step ${i}`, op, a: pick(), ...(op === "add" ? { b: pick() } : {}), y, units: 1 + Math.floor(next() * 40) };
  });
}

function fill(program: Program, next: () => number): Map<string, Float32Array> {
  const copies = new Map<string, Float32Array>();
  for (const b of BUFFERS) {
    const values = floats(program, b);
    for (let i = 0; i < values.length; i++) values[i] = next() - 0.5;
    copies.set(b, values.slice());
  }
  return copies;
}

/** Touches every buffer, so that each plan maps all of them. */
const touch: Elementwise[] = BUFFERS.map((b) => ({ name: `touch ${b}`, op: "copy", a: b, y: b, units: 1 }));

test.each([1, 2, 3, 5, 8])("%i lanes: two random plans in turn, 400 executions", async (lanes) => {
  const device = await openWasm(still, { isa: "simd", threads: lanes });
  expect(device.lanes).toBe(lanes);
  const next = random(100 + lanes);
  for (let round = 0; round < 4; round++) {
    const steps = { one: [...touch, ...randomSteps(next, 30)], two: [...touch, ...randomSteps(next, 3)] };
    const plans = [elementwisePlan("one", steps.one, ROWS, K, device.kernels), elementwisePlan("two", steps.two, ROWS, K, device.kernels)];
    const program = allocate(device, plans);
    for (let i = 0; i < 100; i++) {
      const rows = 1 + Math.floor(next() * ROWS);
      const which = i % 2 ? "one" : "two";
      const copies = fill(program, next);
      program.setSlot("T", rows);
      program.execute(which);
      interpret(steps[which], copies, rows * K);
      for (const b of BUFFERS) expect(floats(program, b), `round ${round}, execution ${i}, ${which}, buffer ${b}`).toEqual(copies.get(b));
    }
    expect(program.meter().executions).toBe(100);
    if (lanes > 1) expect(program.meter().oneLane, "executions on one lane").toBeLessThan(20);
    program.close();
  }
});

test("lanes that slept wake again", async () => {
  const device = await openWasm(still, { isa: "simd", threads: 4 });
  const steps = randomSteps(random(5), 20);
  const program = allocate(device, [elementwisePlan("one", [...touch, ...steps], ROWS, K, device.kernels)]);
  program.setSlot("T", ROWS);
  for (let i = 0; i < 12; i++) {
    const copies = fill(program, random(i));
    program.execute("one");
    interpret(steps, copies, ROWS * K);
    for (const b of BUFFERS) expect(floats(program, b)).toEqual(copies.get(b));
    await new Promise((r) => setTimeout(r, 15)); // longer than any lane spins
  }
  program.close();
});

test.each([1, 4])("%i lanes: a part of a plan runs its steps alone", async (lanes) => {
  const device = await openWasm(still, { isa: "simd", threads: lanes });
  const step = (name: string, b: string, units: number): Elementwise => ({ name, op: "add", a: "p", b, y: "p", units });
  const program = allocate(device, [elementwisePlan("one", [step("double", "p", 3), step("add ten", "q", 7), step("double again", "p", 1)], 4, K, device.kernels)]);
  program.setSlot("T", 4);
  floats(program, "q").fill(10);
  const after = (from?: number, to?: number) => {
    floats(program, "p").fill(1);
    program.execute("one", from, to);
    return floats(program, "p")[4 * K - 1];
  };
  expect([after(), after(1), after(0, 1), after(1, 2), after(2, 2), after(0, 0)]).toEqual([24, 22, 2, 11, 1, 1]);
  expect(() => program.execute("three")).toThrow(expect.objectContaining({ code: "graph.invalid" }));
  program.close();
});

test("one lane of the build without threads, and rows that are a constant", async () => {
  const device = await openWasm(still, { isa: "scalar" });
  expect(device.build).toBe("scalar");
  const plan = elementwisePlan("one", [{ name: "a", op: "add", a: "p", b: "q", y: "r", units: 5 }], 8, K, device.kernels);
  const program = allocate(device, [{ ...plan, steps: plan.steps.map((s) => ({ ...s, rows: 3 })) }]);
  program.setSlot("T", 8);
  floats(program, "p").fill(2);
  floats(program, "q").fill(0.5);
  program.execute("one");
  expect(floats(program, "r")).toEqual(Float32Array.from({ length: 8 * K }, (_, i) => (i < 3 * K ? 2.5 : 0)));
  program.close();
  expect(() => program.execute("one")).toThrow(expect.objectContaining({ code: "session.failed" }));
});
