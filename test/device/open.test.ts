// Opening the device: which build is taken, why others were not, and what is refused.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SkintError } from "../../runtime/errors.ts";
import { differences } from "../../targets/devices/wasm/agreement.ts";
import { KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { describeBuild, openWasm, type WasmOptions } from "../../targets/devices/wasm/device.ts";
import { prefersDot32 } from "../../targets/devices/wasm/dots.ts";
import { buildOf, fileOf } from "../../targets/devices/wasm/files.ts";
import { selfTest } from "../../targets/devices/wasm/selftest.ts";
import type { Host } from "../../targets/hosts/host.ts";
import { host } from "../../targets/hosts/node/host.ts";
import "../support/core.ts"; // lets Node 20 have relaxed SIMD
import { allocate, elementwisePlan } from "../support/plans.ts";
import { open, pack, tinyCheckpoint } from "../support/tiny.ts";

const core = (build: string) => buildOf(build, new Uint8Array(readFileSync(`dist/core/${fileOf(build)}.wasm`)));

/** What `auto` takes on this engine and processor, and what comes next. */
const [BEST, NEXT] = prefersDot32(host.now) ? (["dot32", "relaxed"] as const) : (["relaxed", "simd"] as const);

/** A host whose builds are changed on the way. */
const hostWith = (changes: Record<string, () => Uint8Array<ArrayBuffer>>): Host => ({ ...host, core: async (build) => (changes[build] ?? (() => core(build)))() });

const failure = (host: Host, options: WasmOptions): Promise<SkintError> =>
  openWasm(host, options).then(
    () => expect.unreachable("it should have failed"),
    (e) => e,
  );

test.each([0, -1, 1.5, 65, Number.NaN, Number.POSITIVE_INFINITY])("%f threads are refused", async (threads) => {
  const error = await failure(host, { threads });
  expect(error).toMatchObject({ code: "usage", message: `threads is ${threads}; give a whole number from 1 to 64` });
});

test.each([
  ["scalar", 1, "scalar", 1],
  ["scalar", 4, "scalar", 1],
  ["simd", 1, "simd", 1],
  ["simd", 3, "simd-threads", 3],
  ["relaxed", 1, "relaxed", 1],
  ["relaxed", 2, "relaxed-threads", 2],
  ["auto", 1, BEST, 1],
  ["auto", 64, `${BEST}-threads`, 64],
] as const)("isa %s on %i threads is build %s with %i lanes", async (isa, threads, build, lanes) => {
  expect(await openWasm(host, { isa, threads })).toMatchObject({ build, lanes, rejected: [] });
});

test("unasked it takes the processors, at most four", async () => {
  expect((await openWasm({ ...host, parallelism: 3 })).lanes).toBe(3);
  expect((await openWasm({ ...host, parallelism: 128 })).lanes).toBe(4);
  expect((await openWasm({ ...host, parallelism: 1 })).build).toBe(BEST);
});

/** The relaxed dot products, into i16 and into i32, replaced by other operations of the same length: valid, and wrong. */
function miscomputing(build: string = BEST): Uint8Array<ArrayBuffer> {
  const bytes = core(build);
  const other: Record<number, number> = { 146: 0x91, 147: 0x89 }; // i16x8.relaxed_q15mulr_s, i8x16.relaxed_laneselect
  let replaced = 0;
  for (let i = 0; i + 2 < bytes.length; i++)
    if (bytes[i] === 0xfd && bytes[i + 1] in other && bytes[i + 2] === 0x02) {
      bytes[i + 1] = other[bytes[i + 1]];
      replaced++;
    }
  expect(replaced).toBeGreaterThan(0);
  return bytes;
}

test("the self-test can be asked about some kernels alone", () => {
  const build = { module: new WebAssembly.Module(miscomputing("relaxed")), kernels: KERNELS.relaxed, shared: false };
  const failed = selfTest(build);
  expect(failed.length).toBeGreaterThan(1);
  expect(selfTest(build, new Set([failed[0], "gemv_q8__simd"]))).toEqual([failed[0]]);
  expect(selfTest(build, new Set(["gemv_q8__simd"]))).toEqual([]);
});

function missing(): never {
  throw new SkintError("device.unavailable", "it was not built");
}

test.each([
  ["gives wrong numbers", () => miscomputing(), /^the self-test failed in gem[vm]_q/],
  ["is another build", () => core("scalar"), /kernel table/],
  ["is cut short", () => core(BEST).slice(0, -100), /./],
  ["is empty", () => new Uint8Array(), /./],
  ["is not WebAssembly", () => new TextEncoder().encode("<!doctype html>"), /./],
  ["was not built", missing, /^it was not built$/],
])("a build that %s is passed over for the next one, with the reason", async (_, bytes, why) => {
  const device = await openWasm(hostWith({ [BEST]: bytes }), { threads: 1 });
  expect(device.build).toBe(NEXT);
  expect(device.rejected).toEqual([{ build: BEST, why: expect.stringMatching(why) }]);
});

/** A host whose engine has a switch; `calls` notes what was done with it. */
function hostWithFlags(recompiles: boolean, bytes: () => Uint8Array<ArrayBuffer>) {
  const calls: string[] = [];
  const flagged: Host = {
    ...hostWith({ relaxed: bytes }),
    setEngineFlags: () => ({ names: ["made-up"], recompiles, clear: () => void calls.push("clear") }),
  };
  return { flagged, calls };
}

test("switches of the engine are named, and every kernel is proven under them", async () => {
  const { flagged, calls } = hostWithFlags(true, () => core("relaxed"));
  const device = await openWasm(flagged, { isa: "relaxed", threads: 1, engineFlags: true });
  expect(describeBuild(device)).toBe("relaxed+made-up");
  expect(calls).toEqual([]);
  expect((await openWasm(flagged, { isa: "relaxed", threads: 1 })).flags, "only when asked for").toEqual([]);
});

test("a build that fails under switches runs without them, and says so", async () => {
  let first = true;
  const { flagged, calls } = hostWithFlags(true, () => {
    const bytes = first ? miscomputing("relaxed") : core("relaxed");
    first = false;
    return bytes;
  });
  const device = await openWasm(flagged, { isa: "relaxed", threads: 1, engineFlags: true });
  expect(describeBuild(device)).toMatch(/^relaxed \(not relaxed\+made-up: the self-test failed in gem[vm]_q/);
  expect(calls).toEqual(["clear"]);
  expect(device.flags).toEqual([]);
});

test("a kernel that is no matmul and gives other bits than the scalar build is found", () => {
  const module = (build: "simd" | "scalar", bytes = core(build)) => new WebAssembly.Module(bytes);
  const subject = (bytes?: Uint8Array<ArrayBuffer>) => ({ module: module("simd", bytes), kernels: KERNELS.simd, shared: false });
  expect(differences(subject(), module("scalar"))).toEqual([]);
  const wrong = core("simd");
  let replaced = 0; // f32x4.pmax becomes f32x4.pmin
  for (let i = 0; i + 2 < wrong.length; i++) if (wrong[i] === 0xfd && wrong[i + 1] === 0xeb && wrong[i + 2] === 0x01) replaced += wrong[i + 1]-- ? 1 : 0;
  expect(replaced).toBeGreaterThan(0);
  expect(differences(subject(wrong), module("scalar"))).toEqual(expect.arrayContaining(["attention_i8__simd"]));
});

test("builds that fail leave the next ones", async () => {
  const device = await openWasm(hostWith({ "dot32-threads": missing, "relaxed-threads": missing, "simd-threads": missing }), { threads: 4 });
  expect(device).toMatchObject({ build: "scalar", lanes: 1 });
  expect(device.rejected.map((r) => r.build).filter((b) => b !== "dot32-threads")).toEqual(["relaxed-threads", "simd-threads"]);
});

test("when no build runs, or not the one that was asked for, every reason is given", async () => {
  const error = await failure(hostWith({ dot32: missing, relaxed: missing, simd: missing, scalar: missing }), { threads: 1 });
  expect(error.code).toBe("device.unavailable");
  expect(error.message).toMatch(
    /^no build of the core runs here: (dot32: it was not built; )?relaxed: it was not built; simd: it was not built; scalar: it was not built; run skint doctor$/,
  );
  expect((await failure(hostWith({ simd: missing }), { isa: "simd", threads: 1 })).code).toBe("device.unavailable");
});

test.each([1, 2])("a plan that needs more than WebAssembly can address is refused, on %i threads", async (threads) => {
  const device = await openWasm(host, { isa: "simd", threads });
  const plan = elementwisePlan("one", [{ name: "a", op: "copy", a: "p", y: "q", units: 1 }], 2 ** 17, 2 ** 13, device.kernels);
  expect(() => allocate(device, [plan])).toThrow(
    expect.objectContaining({ code: "plan.memory", message: expect.stringMatching(/the model needs 8\d\d\d MiB of memory, WebAssembly can address 4096 MiB/) }),
  );
});

test("a context whose caches do not fit is refused with what to choose instead", async () => {
  const { bytes } = await pack(await tinyCheckpoint({ context: 2 ** 24 }), "f16");
  await expect(open(bytes, { context: 2 ** 24 })).rejects.toMatchObject({ code: "plan.memory", message: expect.stringContaining("shorter --context") });
  (await open(bytes)).close();
});
