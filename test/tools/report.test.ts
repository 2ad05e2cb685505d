// What people read after a benchmark.
import { expect, test } from "vitest";
import { compareRecords, figureOf } from "../../runtime/stats/record.ts";
import { amount, formatComparison, formatRecord, headline } from "../../tools/bench/report.ts";
import { sampleRecord } from "../support/record.ts";

test("amounts have four digits that count and their unit", () => {
  expect([amount(1234.56, "ms"), amount(98.761, "tokens/s"), amount(0.05, "s"), amount(0, "ms"), amount(2e-7, "J"), amount(1_900_000, "B")]).toEqual([
    "1235 ms",
    "98.76 tokens/s",
    "0.05000 s",
    "0 ms",
    "2.00e-7 J",
    "1.90 MB",
  ]);
});

test("a record prints machine and engine first, then the figures, then the verdict with one headline", () => {
  const text = formatRecord(sampleRecord());
  expect(text).toBe(`machine  Jetson Orin Nano, Cortex-A78AE, 6 cores, up to 1510 MHz, governor schedutil, 8.00 GB
system   Ubuntu 22.04, arm64
engine   Node 20.19.0, V8 11.3
build    simd-threads, 4 threads, features simd threads
model    tiny-swiglu, 1.90 MB, recipe q4g32, hash 0123456789ab
date     2026-02-03T04:05:06.000Z

figure       median  95 % interval    p95    p99    min    max  n  unit
decode.rate   101.0  99.00 … 103.0  103.7  103.9  98.00  104.0  7  tokens/s
load          12.00  12.00 … 13.00  13.70  13.94  11.00  14.00  7  ms

steady: drift 0.2 %, coefficient of variation 1.1 %
decode.rate: 101.0 tokens/s (95 % interval 99.00 … 103.0)`);
});

test("a run that was throttled says so and has no headline", () => {
  const record = sampleRecord({ verdict: { verdict: "throttled", reason: "the clock fell by 30.0 %" } });
  const text = formatRecord(record);
  expect(text).toContain("throttled: the clock fell by 30.0 %; no headline figure");
  expect(text).not.toContain(headline(record.figures[0]));
});

test("what a machine does not tell is said or left out", () => {
  const text = formatRecord(sampleRecord({ machine: { cpu: "AMD EPYC", cores: 2, memoryBytes: 4e9, os: "Debian", arch: "x64" }, features: [], figures: [] }));
  expect(text).toContain("AMD EPYC, 2 cores, governor not readable, 4.00 GB");
  expect(text).toContain("no optional features");
  expect(text).toContain("no figures");
});

test("columns line up", () => {
  const lines = formatRecord(sampleRecord()).split("\n");
  const [head, ...rows] = lines.slice(7, 10);
  for (const row of rows) expect(row.indexOf(row.includes("tokens/s") ? "tokens/s" : "ms")).toBe(head.indexOf("unit"));
});

test("a comparison gives the ratio, how far it may be off, the outcome, and its cautions", () => {
  const after = sampleRecord({
    threads: 2,
    figures: [figureOf("decode.rate", "tokens/s", "higher", [202, 203, 204, 205, 201]), figureOf("load", "ms", "lower", [12, 12, 12]), figureOf("memory", "B", "lower", [1e6])],
  });
  const text = formatComparison(sampleRecord(), after, compareRecords(sampleRecord(), after));
  expect(text).toMatch(/decode\.rate +101\.0 +203\.0 +× 2\.010 +1\.\d{3} … 2\.\d{3} +\+ better +tokens\/s/);
  expect(text).toMatch(/load +12\.00 +12\.00 +× 1\.000 .*= no difference shown +ms/);
  expect(text).toContain("only after: memory");
  expect(text).toContain("  threads: 4 before, 2 after");
});

test("records with nothing in common say so", () => {
  const other = sampleRecord({ figures: [] });
  expect(formatComparison(sampleRecord(), other, compareRecords(sampleRecord(), other))).toContain("no figure stands in both records");
});
