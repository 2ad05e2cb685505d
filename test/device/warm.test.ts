// The self-test once the engine has optimised what a model runs: asked for once, of the kernels in use; a build that fails it is not used again.
import { beforeEach, expect, test, vi } from "vitest";
import { describeBuild, openWasm, type WasmDevice } from "../../targets/devices/wasm/device.ts";
import { host as node } from "../../targets/hosts/node/host.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD
import { allocate, elementwisePlan } from "../support/plans.ts";

/** Kernels that each warm test was asked for, and what it is to find. */
const { asked, found } = vi.hoisted(() => ({ asked: [] as string[][], found: [] as string[] }));
vi.mock("../../targets/devices/wasm/selftest.ts", async (original) => {
  const actual = await original<typeof import("../../targets/devices/wasm/selftest.ts")>();
  const selfTest: typeof actual.selfTest = (build, only) => {
    if (!only) return actual.selfTest(build);
    asked.push([...only]);
    return [...actual.selfTest(build, only), ...found];
  };
  return { selfTest };
});

beforeEach(() => {
  asked.length = 0;
  found.length = 0;
});

const WARM = 100;

const planOn = ({ kernels }: WasmDevice) =>
  elementwisePlan(
    "plan",
    [
      { name: "one", op: "add", a: "a", b: "b", y: "c", units: 1 },
      { name: "two", op: "copy", a: "c", y: "d", units: 1 },
      { name: "three", op: "add", a: "c", b: "d", y: "e", units: 1 },
    ],
    1,
    4,
    kernels,
  );

test("a sound build is proven again once, by the kernels of its plans", async () => {
  const device = await openWasm({ ...node }, { threads: 1 });
  const plan = planOn(device);
  const program = allocate(device, [plan]);
  for (let i = 1; i < WARM; i++) program.execute(plan.name);
  expect(asked).toEqual([]);
  for (let i = 0; i < 2 * WARM; i++) program.execute(plan.name);
  expect(asked).toEqual([[...new Set(plan.steps.map((s) => s.kernel))]]);
  program.close();
});

test("a build that the engine breaks later fails the program with its kernel, and the next one is taken", async () => {
  const host = { ...node };
  const device = await openWasm(host, { threads: 1 });
  const plan = planOn(device);
  const program = allocate(device, [plan]);
  found.push("gemv_broken__here");
  for (let i = 1; i < WARM; i++) program.execute(plan.name);
  const disproved = expect.objectContaining({ code: "device.disproved", message: expect.stringContaining("gemv_broken__here") });
  expect(() => program.execute(plan.name)).toThrowError(disproved);
  expect(() => program.execute(plan.name), "it stays failed").toThrowError(disproved);
  const next = await openWasm(host, { threads: 1 });
  expect(next.build).not.toBe(device.build);
  expect(describeBuild(next)).toContain(`${device.build}: the self-test failed in gemv_broken__here, once the engine had optimised it`);
});
