// A step that traps fails its program for good, by name, on every lane; the process and other programs go on.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { SkintError } from "../../runtime/errors.ts";
import type { Program } from "../../runtime/plan/device.ts";
import { memoryMap } from "../../runtime/plan/memory.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { CONTROL } from "../../targets/devices/wasm/control.ts";
import { poison } from "../../targets/devices/wasm/core.ts";
import { WasmProgram } from "../../targets/devices/wasm/program.ts";
import type { Host } from "../../targets/hosts/host.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { coreModule } from "../support/core.ts";
import { type Elementwise, elementwisePlan, floats } from "../support/plans.ts";

const ROWS = 64;
const K = 8;

const good = (name: string): Elementwise => ({ name, op: "add", a: "p", b: "q", y: "r", units: 32 });

/** Ways to send one step astray. */
const BAD: Readonly<Record<string, Partial<Elementwise>>> = {
  "a kernel that the table does not have": { kernel: "bogus" },
  "an address beyond memory": { k: 100_000_000 },
};

/** A program on `lanes` lanes; `left` resolves with what each worker said at its end. */
function programOf(steps: Elementwise[], lanes: number) {
  const build = lanes > 1 ? "simd-threads" : "simd";
  const kernels = [...KERNELS[build], ...new Array(1000).fill("pad"), "bogus"];
  const ends: Promise<string>[] = [];
  const watched: Host = {
    ...host,
    now: () => 0,
    spawnLane(init, onError) {
      const worker = new Worker("./dist/lane.js", { workerData: init });
      worker.unref();
      ends.push(once(worker, "message").then(([m]) => m));
      worker.on("message", (m: string) => {
        if (m !== "left") onError(m);
      });
      return { terminate: () => void worker.terminate() };
    },
  };
  const plan = elementwisePlan("one", steps, ROWS, K, kernels);
  const program = new WasmProgram(watched, { module: coreModule(build), kernels, shared: lanes > 1, lanes }, memoryMap([plan]), [plan]);
  program.setSlot("T", ROWS);
  return { program, left: () => Promise.all(ends) };
}

function failureOf(program: Program): SkintError {
  try {
    program.execute("one");
  } catch (e) {
    return e as SkintError;
  }
  return expect.unreachable("it should have trapped");
}

const LANES = [1, 2, 4, 8];

for (const [way, change] of Object.entries(BAD))
  test.each(LANES)(`${way}: %i lanes`, { timeout: 30_000 }, async (lanes) => {
    // Which lane meets the bad step is chance: the caller's own, or a worker's.
    for (let round = 0; round < 5; round++) {
      const { program, left } = programOf([good("before"), good("also before"), { ...good("the bad one"), ...change }, good("after")], lanes);
      // Once the workers are there, they take their share; the governor tries one lane alone from the fifth execution on.
      await new Promise((r) => setTimeout(r, 30));
      for (let i = 0; i < round; i++) program.execute("one", 0, 2);
      const error = failureOf(program);
      expect(error).toMatchObject({ code: "device.trap", place: { what: expect.stringMatching(/^the bad one/) } });
      expect(error.message).toContain("the bad one (");
      expect(error.message).not.toContain("before");
      expect(failureOf(program), "later calls give the same error").toBe(error);
      const ends = await left();
      expect(ends).toHaveLength(lanes - 1);
      program.close();
    }
  });

test.each([
  ["the whole of it", poison],
  ["the first word of it", (memory: WebAssembly.Memory, control: number) => void Atomics.store(new Int32Array(memory.buffer, control), CONTROL.POISON / 4, 1)],
])("a caller that finds the poison of a worker's trap, %s, fails", (_, leave) => {
  const plan = elementwisePlan("one", [good("fine")], ROWS, K, KERNELS["simd-threads"]);
  let trap = () => {};
  const fake: Host = {
    ...host,
    spawnLane({ memory, control }) {
      trap = () => leave(memory, control);
      return { terminate() {} };
    },
  };
  const program = new WasmProgram(fake, { module: coreModule("simd-threads"), kernels: KERNELS["simd-threads"], shared: true, lanes: 2 }, memoryMap([plan]), [plan]);
  program.setSlot("T", ROWS);
  program.execute("one");
  trap();
  const error = failureOf(program);
  expect(error).toMatchObject({ code: "device.trap", message: expect.stringContaining("a worker trapped") });
  expect(failureOf(program)).toBe(error);
});

test("a step that traps only later: what ran before was right, and a fresh program works", async () => {
  const { program, left } = programOf([good("fine"), { ...good("the bad one"), k: 100_000_000 }], 4);
  floats(program, "p").fill(1);
  floats(program, "q").fill(2);
  program.execute("one", 0, 1);
  expect(floats(program, "r")[ROWS * K - 1]).toBe(3);
  expect(failureOf(program).code).toBe("device.trap");
  expect(() => program.execute("one", 0, 1)).toThrow(expect.objectContaining({ code: "device.trap" }));
  await left();
  program.close();

  const fresh = programOf([good("fine")], 4);
  floats(fresh.program, "p").fill(4);
  fresh.program.execute("one");
  expect(floats(fresh.program, "r")[0]).toBe(4);
  fresh.program.close();
});

test("a tensor that starts beyond memory is refused when the plan is encoded", () => {
  const plan = elementwisePlan("one", [good("fine")], ROWS, K, KERNELS.simd);
  const map = memoryMap([plan]);
  const moved = { ...map, tensors: new Map([...map.tensors, ["r", { offset: 2 ** 32, bytes: 64 }] as const]) };
  const make = () => new WasmProgram(host, { module: coreModule("simd"), kernels: KERNELS.simd, shared: false, lanes: 1 }, moved, [plan]);
  expect(make).toThrow(expect.objectContaining({ code: "plan.memory", place: { what: "r" } }));
});
