// The result record: what was measured, on which machine and engine, with which build, model and recipe, and how far the figures spread.
// One schema for every tool, device and host; JSON on disk. `validateRecord` is the only way in, `compareRecords` sets two side by side.
// Figures are in the unit they name; sizes in bytes, dates in ISO 8601.
import { SkintError } from "../errors.ts";
import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { count, type Fields, field, fields, given, list, number, oneOf, text, texts, wrong } from "./fields.ts";
import { ascending, quantileOfSorted } from "./quantile.ts";
import type { Verdict } from "./steady.ts";

export const RECORD_VERSION = 1;

/** One measured quantity. low … high is the 95 % bootstrap interval of the median. */
export interface Figure {
  /** Such as "decode.rate"; stands once in a record. */
  readonly id: string;
  readonly unit: string;
  /** Which way is good. */
  readonly better: "lower" | "higher";
  /** Samples. */
  readonly n: number;
  readonly median: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
}

/** What a host knows of its machine; absent = cannot be read. */
export interface MachineSummary {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly arch: string;
  /** Such as "Jetson Orin Nano". */
  readonly board?: string;
  readonly governor?: string;
  readonly maxMegahertz?: number;
}

export interface EngineSummary {
  /** Such as "Node". */
  readonly name: string;
  readonly version: string;
  /** Such as the version of V8. */
  readonly core?: string;
}

/** When, where and on what a record was made: every kind of record begins with it. */
export interface Origin {
  /** ISO 8601. */
  readonly date: string;
  readonly machine: MachineSummary;
  readonly engine: EngineSummary;
  /** Features that were probed as present. */
  readonly features: readonly string[];
}

export interface ResultRecord extends Origin {
  readonly version: typeof RECORD_VERSION;
  /** Builds of the core that ran, such as "simd-threads", with the switches of the engine: "relaxed+revectorize". */
  readonly builds: readonly string[];
  /** Build and threads were chosen by an earlier measurement. */
  readonly tuned?: boolean;
  /** Better builds that were tried in vain, and why; absent: none. */
  readonly fallbacks?: readonly string[];
  readonly model: { readonly name: string; readonly hash: string; readonly bytes: number };
  /** Compression recipe, in its written form; "none" for an uncompressed model. */
  readonly recipe: string;
  readonly threads: number;
  readonly figures: readonly Figure[];
  readonly verdict: { readonly verdict: Verdict; readonly reason: string };
}

/** Sums up samples of one quantity. */
export function figureOf(id: string, unit: string, better: Figure["better"], samples: ArrayLike<number>, options?: BootstrapOptions): Figure {
  const sorted = ascending(samples);
  const { value, low, high } = bootstrap(sorted, "median", options);
  const [p95, p99] = [0.95, 0.99].map((p) => quantileOfSorted(sorted, p));
  return { id, unit, better, n: sorted.length, median: value, p50: value, p95, p99, low, high, min: sorted[0], max: sorted[sorted.length - 1] };
}

function figure(value: unknown, path: string): Figure {
  const from = fields(value, path);
  const at = `${path}.`;
  const n = count(from, "n", at);
  if (n === 0) throw wrong(`${at}n`, "at least 1");
  const [median, p50, p95, p99, low, high, min, max] = ["median", "p50", "p95", "p99", "low", "high", "min", "max"].map((key) => number(from, key, at));
  if (!(median === p50 && min <= low && low <= median && median <= high && high <= max && p50 <= p95 && p95 <= p99 && p99 <= max))
    throw wrong(path, "in order: min ≤ low ≤ median = p50 ≤ high ≤ max and p50 ≤ p95 ≤ p99 ≤ max");
  return { id: text(from, "id", at), unit: text(from, "unit", at), better: oneOf(from, "better", at, ["lower", "higher"]), n, median, p50, p95, p99, low, high, min, max };
}

function machine(value: unknown): MachineSummary {
  const from = fields(value, "machine");
  const at = "machine.";
  const optional = {
    board: given(from, "board", () => text(from, "board", at)),
    governor: given(from, "governor", () => text(from, "governor", at)),
    maxMegahertz: given(from, "maxMegahertz", () => number(from, "maxMegahertz", at)),
  };
  return {
    cpu: text(from, "cpu", at),
    cores: count(from, "cores", at),
    memoryBytes: count(from, "memoryBytes", at),
    os: text(from, "os", at),
    arch: text(from, "arch", at),
    ...optional,
  };
}

function date(from: Fields): string {
  const value = text(from, "date", "");
  if (!/^\d{4}-\d\d-\d\dT/.test(value) || Number.isNaN(Date.parse(value))) throw wrong("date", "a date in ISO 8601, such as 2026-01-31T12:00:00Z");
  return value;
}

/** Reads the part that all records have. */
export function originOf(from: Fields): Origin {
  const engine = fields(field(from, "engine"), "engine");
  return {
    date: date(from),
    machine: machine(field(from, "machine")),
    engine: { name: text(engine, "name", "engine."), version: text(engine, "version", "engine."), core: given(engine, "core", () => text(engine, "core", "engine.")) },
    features: texts(from, "features"),
  };
}

/** Checks what came from outside and returns a record of known fields only. Throws `format.version` or `format.header` with the path of the field. */
export function validateRecord(value: unknown): ResultRecord {
  const from = fields(value, "the record");
  const version = field(from, "version");
  if (version !== RECORD_VERSION)
    throw new SkintError("format.version", `the result record is of version ${JSON.stringify(version)}, this program reads version ${RECORD_VERSION}; measure again`, {
      what: "version",
    });
  const model = fields(field(from, "model"), "model");
  const verdict = fields(field(from, "verdict"), "verdict");
  const figures = list(from, "figures", "").map((item, i) => figure(item, `figures[${i}]`));
  const twice = figures.find((f, i) => figures.findIndex((other) => other.id === f.id) !== i);
  if (twice) throw new SkintError("format.duplicate", `the figure ${JSON.stringify(twice.id)} stands twice in the result record; measure again`, { what: twice.id });
  return {
    version: RECORD_VERSION,
    ...originOf(from),
    builds: texts(from, "builds"),
    ...(from.tuned === true ? { tuned: true } : {}),
    ...("fallbacks" in from ? { fallbacks: texts(from, "fallbacks") } : {}),
    model: { name: text(model, "name", "model."), hash: text(model, "hash", "model."), bytes: count(model, "bytes", "model.") },
    recipe: text(from, "recipe", ""),
    threads: count(from, "threads", ""),
    figures,
    verdict: { verdict: oneOf(verdict, "verdict", "verdict.", ["steady", "wandered", "throttled"]), reason: text(verdict, "reason", "verdict.") },
  };
}

/** One figure of two records. */
export interface ComparisonRow {
  readonly id: string;
  readonly unit: string;
  readonly before: Figure;
  readonly after: Figure;
  /** Median after over median before; null unless both intervals are positive. */
  readonly ratio: number | null;
  /** Widest ratio the two intervals allow: after.low / before.high … after.high / before.low. */
  readonly low: number | null;
  readonly high: number | null;
  /** Whether the intervals of the medians overlap: then no difference was shown. */
  readonly overlap: boolean;
  readonly outcome: "better" | "worse" | "no difference shown";
}

export interface Comparison {
  readonly rows: readonly ComparisonRow[];
  /** Figures that only one side has, or whose units differ. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Why the comparison may mislead: other machine, engine, model, threads, a run that was not steady. One clause each. */
  readonly cautions: readonly string[];
}

function row(before: Figure, after: Figure): ComparisonRow {
  const positive = before.low > 0 && after.low > 0;
  const overlap = before.low <= after.high && after.low <= before.high;
  const improved = after.median < before.median === (before.better === "lower");
  return {
    id: before.id,
    unit: before.unit,
    before,
    after,
    ratio: positive ? after.median / before.median : null,
    low: positive ? after.low / before.high : null,
    high: positive ? after.high / before.low : null,
    overlap,
    outcome: overlap ? "no difference shown" : improved ? "better" : "worse",
  };
}

function cautions(before: ResultRecord, after: ResultRecord): string[] {
  const told = (what: string, of: (r: ResultRecord) => string | number) => (of(before) === of(after) ? [] : [`${what}: ${of(before)} before, ${of(after)} after`]);
  return [
    ...told("machine", (r) => `${r.machine.cpu}, ${r.machine.cores} cores`),
    ...told("engine", (r) => `${r.engine.name} ${r.engine.version}`),
    ...told("governor", (r) => r.machine.governor ?? "unknown"),
    ...told("builds", (r) => r.builds.join(" ")),
    ...told("threads", (r) => r.threads),
    ...told("model", (r) => `${r.model.name} ${r.model.hash.slice(0, 12)}`),
    ...told("recipe", (r) => r.recipe),
    ...[before, after].flatMap((r, i) =>
      r.verdict.verdict === "steady" ? [] : [`the run ${i === 0 ? "before" : "after"} ${r.verdict.verdict === "wandered" ? "wandered" : "was throttled"}: ${r.verdict.reason}`],
    ),
    "the two were not measured in turn in one run, so slow changes of the machine count as differences",
  ];
}

/** Sets two records side by side, figure by figure in the order of `before`. */
export function compareRecords(before: ResultRecord, after: ResultRecord): Comparison {
  const key = (f: Figure) => `${f.id} [${f.unit}, ${f.better}]`;
  const later = new Map(after.figures.map((f) => [key(f), f]));
  const earlier = new Set(before.figures.map(key));
  return {
    rows: before.figures.flatMap((f) => {
      const other = later.get(key(f));
      return other ? [row(f, other)] : [];
    }),
    onlyBefore: before.figures.filter((f) => !later.has(key(f))).map((f) => f.id),
    onlyAfter: after.figures.filter((f) => !earlier.has(key(f))).map((f) => f.id),
    cautions: cautions(before, after),
  };
}
