// The result record: what is accepted, what is refused and where, and what two records say about each other.
import { expect, test } from "vitest";
import { compareRecords, figureOf, validateRecord } from "../../runtime/stats/record.ts";
import { sampleRecord } from "../support/record.ts";

test("a record survives JSON and validation unchanged", () => {
  const record = sampleRecord();
  expect(validateRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

test("a figure sums up its samples", () => {
  const figure = figureOf("x", "ms", "lower", [3, 1, 2, 10]);
  expect(figure).toMatchObject({ n: 4, median: 2.5, p50: 2.5, min: 1, max: 10 });
  expect(figure.p95).toBeCloseTo(8.95, 12);
  expect(figure.low).toBeGreaterThanOrEqual(1);
  expect(figure.high).toBeLessThanOrEqual(10);
});

const figure = sampleRecord().figures[0];

test.each<[string, unknown, string, string | undefined]>([
  ["not an object", 7, "format.header", "the record"],
  ["a list", [], "format.header", "the record"],
  ["another version", { ...sampleRecord(), version: 2 }, "format.version", "version"],
  ["no machine", { ...sampleRecord(), machine: undefined }, "format.header", "machine"],
  ["half a core", { ...sampleRecord(), machine: { ...sampleRecord().machine, cores: 0.5 } }, "format.header", "machine.cores"],
  ["a governor that is a number", { ...sampleRecord(), machine: { ...sampleRecord().machine, governor: 3 } }, "format.header", "machine.governor"],
  ["no date", { ...sampleRecord(), date: "yesterday" }, "format.header", "date"],
  ["builds that are not text", { ...sampleRecord(), builds: ["simd", 1] }, "format.header", "builds[1]"],
  ["too many features", { ...sampleRecord(), features: new Array(5000).fill("x") }, "format.header", "features"],
  ["text without end", { ...sampleRecord(), recipe: "x".repeat(5000) }, "format.header", "recipe"],
  ["negative threads", { ...sampleRecord(), threads: -1 }, "format.header", "threads"],
  ["a figure that is null", { ...sampleRecord(), figures: [null] }, "format.header", "figures[0]"],
  ["a figure of nothing", { ...sampleRecord(), figures: [{ ...figure, n: 0 }] }, "format.header", "figures[0].n"],
  ["a figure that is not a number", { ...sampleRecord(), figures: [{ ...figure, p95: "NaN" }] }, "format.header", "figures[0].p95"],
  ["quantiles out of order", { ...sampleRecord(), figures: [{ ...figure, p95: figure.max + 1 }] }, "format.header", "figures[0]"],
  ["no direction", { ...sampleRecord(), figures: [{ ...figure, better: "up" }] }, "format.header", "figures[0].better"],
  ["a figure twice", { ...sampleRecord(), figures: [figure, figure] }, "format.duplicate", "decode.rate"],
  ["an unknown verdict", { ...sampleRecord(), verdict: { verdict: "fine", reason: "" } }, "format.header", "verdict.verdict"],
])("%s: refused, and the field is named", (_, value, code, what) => {
  expect(() => validateRecord(value)).toThrowError(expect.objectContaining({ code, place: { what } }));
});

test("fields of prototypes are not fields of the record", () => {
  const inherited = Object.create(sampleRecord());
  expect(() => validateRecord(inherited)).toThrowError(expect.objectContaining({ code: "format.version" }));
});

test("comparison: ratio, widest interval, and better or worse by the direction of the figure", () => {
  const faster = sampleRecord({ figures: [figureOf("decode.rate", "tokens/s", "higher", [200, 201, 202, 203, 204]), figureOf("load", "ms", "lower", [24, 25, 26, 24, 25])] });
  const { rows } = compareRecords(sampleRecord(), faster);
  expect(rows.map((r) => [r.id, r.outcome, r.overlap])).toEqual([
    ["decode.rate", "better", false],
    ["load", "worse", false],
  ]);
  expect(rows[0].ratio).toBeCloseTo(2, 1);
  expect(rows[0].low).toBeLessThanOrEqual(rows[0].ratio as number);
  expect(rows[0].high).toBeGreaterThanOrEqual(rows[0].ratio as number);
});

test("comparison: intervals that overlap show no difference", () => {
  const [again] = compareRecords(sampleRecord(), sampleRecord()).rows;
  expect(again).toMatchObject({ ratio: 1, overlap: true, outcome: "no difference shown" });
});

test("comparison: no ratio without positive figures", () => {
  const zero = sampleRecord({ figures: [figureOf("load", "ms", "lower", [0, 0, 0])] });
  expect(compareRecords(zero, zero).rows[0]).toMatchObject({ ratio: null, low: null, high: null, outcome: "no difference shown" });
});

test("comparison: figures of one side only, and other units, are listed and not compared", () => {
  const other = sampleRecord({ figures: [figureOf("load", "s", "lower", [1]), figureOf("memory", "B", "lower", [1])] });
  expect(compareRecords(sampleRecord(), other)).toMatchObject({ rows: [], onlyBefore: ["decode.rate", "load"], onlyAfter: ["load", "memory"] });
});

test("comparison: says when the machine, the threads or the steadiness differ", () => {
  const other = sampleRecord({ threads: 2, machine: { ...sampleRecord().machine, cpu: "Cortex-A57" }, verdict: { verdict: "throttled", reason: "the clock fell by 30.0 %" } });
  const { cautions } = compareRecords(sampleRecord(), other);
  expect(cautions).toContain("threads: 4 before, 2 after");
  expect(cautions.join("\n")).toContain("Cortex-A57");
  expect(cautions).toContain("the run after was throttled: the clock fell by 30.0 %");
});
