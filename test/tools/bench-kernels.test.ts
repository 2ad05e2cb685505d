// `skint bench kernels` as its users call it: what it times, what its record holds, what --against makes of two, what it refuses.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linearVariant } from "../../runtime/ops/linear/variant.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { compareKernels } from "../../tools/bench/kernels/compare.ts";
import { type KernelRecord, validateKernelRecord } from "../../tools/bench/kernels/record.ts";
import { shapesOf } from "../../tools/bench/kernels/shapes.ts";
import { linearVariants } from "../../tools/bench/kernels/subject.ts";
import { type Bench, bench } from "./skint.ts";

let b: Bench;
let record: KernelRecord;
const SHORT = ["--rounds", "6", "--shape", "64x96"];
const run = (...more: string[]) => b.json("bench", "kernels", ...SHORT, ...more) as KernelRecord;

beforeAll(() => {
  b = bench();
  record = run("--isa", "simd", "--threads", "1", "--hot");
  writeFileSync(b.path("before.json"), JSON.stringify(record));
}, 120_000);
afterAll(() => b.remove());

test("every scheme with every activation format is timed at one token and at many", () => {
  expect(record.runs).toMatchObject([{ build: "simd", threads: 1, rounds: 6, shape: { name: "64x96", n: 64, k: 96 } }]);
  for (const { kernels } of record.runs) {
    expect(kernels.filter((k) => k.tokens === 1).map((k) => linearVariant(k.scheme, k.act))).toEqual(linearVariants());
    for (const k of kernels) {
      expect(k).toMatchObject({ state: "hot", macs: 64 * 96 * k.tokens, bytes: SCHEMES[k.scheme].bytes(64, 96) });
      expect(k.kernel.startsWith(`${k.tokens === 1 ? "gemv" : "gemm"}_${linearVariant(k.scheme, k.act)}__`), k.kernel).toBe(true);
    }
  }
});

test("limits stand in every run, and every kernel has its share of each", () => {
  for (const { limits, kernels } of record.runs) {
    expect(limits.slice(0, 3).map(({ name, unit }) => ({ name, unit }))).toEqual([
      { name: "read", unit: "GB/s" },
      { name: "lines", unit: "GB/s" },
      { name: "i16dot", unit: "GMAC/s" },
    ]);
    for (const k of kernels) {
      expect(Object.keys(k.of)).toEqual(limits.map((l) => l.name));
      for (const { name, unit, rate } of limits) {
        const done = unit === "GB/s" ? (k.rate.value * k.bytes) / k.macs : k.rate.value;
        expect(k.of[name].value, `${k.kernel} of ${name}`).toBeCloseTo(done / rate.value, 8);
      }
    }
  }
});

test("each thread count is a run of its own", () => {
  const { runs } = run("--kernel", "gemv_q4g32__simd", "--isa", "simd", "--threads", "1,2,1");
  expect(runs.map(({ build, threads }) => ({ build, threads }))).toEqual([
    { build: "simd", threads: 1 },
    { build: "simd-threads", threads: 2 },
  ]);
});

test("weights that are read from memory are copied until no cache holds them", () => {
  const cold = b.json("bench", "kernels", "--rounds", "6", "--shape", "1024x512x1", "--kernel", "gemv_q8__*", "--threads", "1", "--isa", "simd") as KernelRecord;
  expect(cold.runs[0].kernels.map(({ kernel, tokens, state }) => ({ kernel, tokens, state }))).toEqual([
    { kernel: "gemv_q8__simd", tokens: 1, state: "cold" },
    { kernel: "gemv_q8__simd", tokens: 1, state: "hot" },
  ]);
});

test("a table for people names machine, limits and kernels; shares come before rates", () => {
  const { exit, out, err } = b.skint("bench", "kernels", ...SHORT, "--isa", "simd", "--threads", "1", "--kernel", "gemv_q4g32__*");
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  expect(out).toMatch(/^machine .*\nsystem .*\nengine .*\ndate /);
  expect(out).toMatch(/\nread +\S+ +GB\/s +\S+ … \S+ +read-only stream\n/);
  expect(out).toMatch(/\nkernel +tokens +W +of read +of lines +of i16dot .*GMAC\/s +95 % interval +GB\/s of W\ngemv_q4g32__simd +1 +hot +\d/);
});

test("--against sets a later record beside an earlier one", () => {
  const { exit, out } = b.skint("bench", "kernels", ...SHORT, "--isa", "simd", "--threads", "1", "--kernel", "gemv_q8__*", "--against", "before.json");
  expect(exit).toBe(0);
  expect(out).toMatch(/\ngemv_q8__simd +64x96 +1 +hot +1 +× \d/);
  expect(out).toContain("only before: gemv_f32 64×96, 1 tokens, hot, 1 threads");
});

test("a change counts where the intervals of the shares leave no doubt", () => {
  const faster = structuredClone(record) as unknown as { runs: { kernels: { of: Record<string, { value: number; low: number; high: number }> }[] }[] };
  for (const { kernels } of faster.runs) for (const { of } of kernels) of.i16dot = { value: of.i16dot.high * 3, low: of.i16dot.high * 2, high: of.i16dot.high * 4 };
  const changed = compareKernels(record, validateKernelRecord(faster));
  expect(changed.rows.every((r) => r.outcome === "better" && (r.share?.low ?? 0) >= 1.999)).toBe(true);
  expect(compareKernels(validateKernelRecord(faster), record).rows.every((r) => r.outcome === "worse")).toBe(true);
  expect(compareKernels(record, record).rows.every((r) => r.outcome === "no difference shown" && r.rate.value === 1)).toBe(true);
});

test("what it cannot do it refuses, with exit code 2", () => {
  const refused = [
    ["--kernel", "gemv_q5*"],
    ["--shape", "12"],
    ["--shape", "0x64"],
    ["--shape", "64x64x99999"],
    ["--isa", "fast"],
    ["--threads", "1,x"],
    ["--threads", "0"],
    ["--rounds", "2"],
    ["--shape", "64x64", "--cold"],
    ["--shape", "64x64x8", "--kernel", "gemm_f16__simd", "--isa", "scalar"],
  ];
  for (const args of refused) expect({ args, exit: b.skint("bench", "kernels", ...args, "--json").exit }).toEqual({ args, exit: 2 });
  expect(b.skint("bench", "kernels", "--against", "nothing.json").exit).toBe(3);
});

test("a shape that no memory holds is refused before anything is allocated", () => {
  const { exit, out } = b.skint("bench", "kernels", "--shape", "1048576x1048576", "--kernel", "gemv_q4g32__*", "--json");
  expect(exit).toBe(1);
  expect(JSON.parse(out).error.code).toBe("plan.memory");
});

test("models' shapes have names; a record from a stranger is checked", () => {
  expect(shapesOf("smollm2-135m").map(({ n, k }) => [n, k])).toContainEqual([49152, 576]);
  const text = readFileSync(b.path("before.json"), "utf8");
  expect(validateKernelRecord(JSON.parse(text))).toEqual(record);
  const broken = (change: (r: { version: unknown; kind: unknown; runs: { kernels: { of: unknown; rate: unknown }[] }[] }) => void) => {
    const r = JSON.parse(text);
    change(r);
    return () => validateKernelRecord(r);
  };
  expect(broken((r) => (r.kind = "models"))).toThrowError(expect.objectContaining({ code: "format.header" }));
  expect(broken((r) => (r.version = 9))).toThrowError(expect.objectContaining({ code: "format.version" }));
  expect(broken((r) => (r.runs[0].kernels[0].of = {}))).toThrowError(expect.objectContaining({ code: "format.header", place: { what: "runs[0].kernels[0].of.read" } }));
  expect(broken((r) => (r.runs[0].kernels[0].rate = { value: 1, low: 2, high: 3 }))).toThrowError(expect.objectContaining({ code: "format.header" }));
});
