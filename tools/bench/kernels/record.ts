// The record of timed kernels: rates and their shares of what the machine can do, each with its 95 % bootstrap interval, run by run. A rate is
// that of the quarter of samples that took least time (their 25th percentile): what disturbs a sample only ever makes it longer.
import { SkintError } from "../../../runtime/errors.ts";
import { bootstrap, bootstrapRatio, type Interval } from "../../../runtime/stats/bootstrap.ts";
import { count, type Fields, field, fields, list, number, oneOf, text, wrong } from "../../../runtime/stats/fields.ts";
import { type Origin, originOf } from "../../../runtime/stats/record.ts";
import { judgeSteadiness, type Verdict } from "../../../runtime/stats/steady.ts";
import { origin } from "../record.ts";
import type { Limit } from "./limits.ts";
import type { Sampled, Samples } from "./run.ts";
import type { Shape } from "./shapes.ts";
import type { State, Subject } from "./subject.ts";

export const KERNELS_VERSION = 1;

export interface LimitRow {
  readonly name: string;
  readonly title: string;
  readonly unit: "GB/s" | "GMAC/s";
  readonly rate: Interval;
}

export interface KernelRow {
  readonly kernel: string;
  readonly scheme: string;
  readonly act: string;
  readonly tokens: number;
  readonly state: State;
  /** Multiply-adds, and bytes of weights, of one product. */
  readonly macs: number;
  readonly bytes: number;
  /** GMAC/s. */
  readonly rate: Interval;
  /** By limit: the kernel's bytes a second, or multiply-adds a second, over the limit's. */
  readonly of: Readonly<Record<string, Interval>>;
}

/** What was timed in turn. */
export interface KernelRun {
  readonly shape: { readonly name: string; readonly n: number; readonly k: number };
  readonly build: string;
  readonly threads: number;
  readonly rounds: number;
  readonly limits: readonly LimitRow[];
  readonly kernels: readonly KernelRow[];
  readonly verdict: { readonly verdict: Verdict; readonly reason: string };
}

export interface KernelRecord extends Origin {
  readonly version: typeof KERNELS_VERSION;
  readonly kind: "kernels";
  readonly runs: readonly KernelRun[];
}

/** The statistic of samples everywhere here. */
export const QUARTILE = 0.25;

const times = (factor: number, { value, low, high }: Interval): Interval => ({ value: factor * value, low: factor * low, high: factor * high });

/** Work a sample (of any unit) as 10⁹ a second. */
function rateOf(work: number, ms: Float64Array): Interval {
  const { value, low, high } = bootstrap(ms, QUARTILE);
  return { value: work / value / 1e6, low: work / high / 1e6, high: work / low / 1e6 };
}

/** Rate of one over rate of another that was timed in turn with it. */
export function ratioOf(work: number, ms: Float64Array, otherWork: number, otherMs: Float64Array): Interval {
  return times(work / otherWork, bootstrapRatio(otherMs, ms, QUARTILE));
}

/** A kernel's share of a limit. */
export function shareOf({ of, ms }: Sampled<Subject>, limit: Sampled<Limit>): Interval {
  return ratioOf(of.steps * (limit.of.unit === "GB/s" ? of.bytes : of.macs), ms, limit.of.work, limit.ms);
}

function kernelRow(kernel: Sampled<Subject>, limits: readonly Sampled<Limit>[]): KernelRow {
  const { kernel: name, scheme, act, tokens, state, steps, macs, bytes } = kernel.of;
  const of = Object.fromEntries(limits.map((l) => [l.of.name, shareOf(kernel, l)]));
  return { kernel: name, scheme, act, tokens, state, macs, bytes, rate: rateOf(steps * macs, kernel.ms), of };
}

/** The samples of one run, summed up. Steadiness is judged by what depends on the clock alone. */
export function toRun({ name, n, k }: Shape, { build, threads, limits, kernels }: Samples): KernelRun {
  const { verdict, reason } = judgeSteadiness((limits.find((l) => l.of.name === "i16dot") ?? kernels[0]).ms);
  return {
    shape: { name, n, k },
    build,
    threads,
    rounds: kernels[0].ms.length,
    limits: limits.map(({ of, ms }) => ({ name: of.name, title: of.title, unit: of.unit, rate: rateOf(of.work, ms) })),
    kernels: kernels.map((s) => kernelRow(s, limits)),
    verdict: { verdict, reason },
  };
}

export function toKernelRecord(runs: readonly KernelRun[]): KernelRecord {
  return { version: KERNELS_VERSION, kind: "kernels", ...origin(), runs };
}

function interval(value: unknown, path: string): Interval {
  const from = fields(value, path);
  const [v, low, high] = ["value", "low", "high"].map((key) => number(from, key, `${path}.`));
  if (!(low > 0 && low <= v && v <= high)) throw wrong(path, "in order and positive: 0 < low ≤ value ≤ high");
  return { value: v, low, high };
}

function limitFrom(value: unknown, path: string): LimitRow {
  const from = fields(value, path);
  const at = `${path}.`;
  return { name: text(from, "name", at), title: text(from, "title", at), unit: oneOf(from, "unit", at, ["GB/s", "GMAC/s"]), rate: interval(field(from, "rate"), `${at}rate`) };
}

function kernelFrom(value: unknown, path: string, limits: readonly LimitRow[]): KernelRow {
  const from = fields(value, path);
  const at = `${path}.`;
  const of = fields(field(from, "of"), `${at}of`);
  return {
    kernel: text(from, "kernel", at),
    scheme: text(from, "scheme", at),
    act: text(from, "act", at),
    tokens: count(from, "tokens", at),
    state: oneOf(from, "state", at, ["cold", "hot"]),
    macs: count(from, "macs", at),
    bytes: count(from, "bytes", at),
    rate: interval(field(from, "rate"), `${at}rate`),
    of: Object.fromEntries(limits.map(({ name }) => [name, interval(field(of, name), `${at}of.${name}`)])),
  };
}

function runFrom(value: unknown, path: string): KernelRun {
  const from = fields(value, path);
  const at = `${path}.`;
  const shape = fields(field(from, "shape"), `${at}shape`);
  const verdict = fields(field(from, "verdict"), `${at}verdict`);
  const limits = list(from, "limits", at).map((l, i) => limitFrom(l, `${at}limits[${i}]`));
  return {
    shape: { name: text(shape, "name", `${at}shape.`), n: count(shape, "n", `${at}shape.`), k: count(shape, "k", `${at}shape.`) },
    build: text(from, "build", at),
    threads: count(from, "threads", at),
    rounds: count(from, "rounds", at),
    limits,
    kernels: list(from, "kernels", at).map((r, i) => kernelFrom(r, `${at}kernels[${i}]`, limits)),
    verdict: { verdict: oneOf(verdict, "verdict", `${at}verdict.`, ["steady", "wandered", "throttled"]), reason: text(verdict, "reason", `${at}verdict.`) },
  };
}

/** Checks what came from outside and returns a record of known fields only. Throws `format.version` or `format.header` with the path of the field. */
export function validateKernelRecord(value: unknown): KernelRecord {
  const from: Fields = fields(value, "the record");
  if (field(from, "kind") !== "kernels") throw wrong("kind", `"kernels", as skint bench kernels --json writes it`);
  const version = field(from, "version");
  if (version !== KERNELS_VERSION)
    throw new SkintError("format.version", `the record of kernels is of version ${JSON.stringify(version)}, this program reads version ${KERNELS_VERSION}; measure again`, {
      what: "version",
    });
  return { version: KERNELS_VERSION, kind: "kernels", ...originOf(from), runs: list(from, "runs", "").map((r, i) => runFrom(r, `runs[${i}]`)) };
}
