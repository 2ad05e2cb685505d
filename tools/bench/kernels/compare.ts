// Two records of kernels side by side. The machine may have changed its speed between them, so each kernel is compared by its share of a limit
// that was measured beside it: of the read-only stream where the weights are cold, of the i16 dot where they are hot.
import type { Interval } from "../../../runtime/stats/bootstrap.ts";
import type { KernelRecord, KernelRow, KernelRun } from "./record.ts";

export interface KernelChange {
  readonly shape: string;
  readonly threads: number;
  readonly before: KernelRow;
  readonly after: KernelRow;
  /** GMAC/s after over before. */
  readonly rate: Interval;
  /** The same in shares of the limit; the widest that both intervals allow. Absent where a record has no limits. */
  readonly share?: Interval;
  readonly outcome: "better" | "worse" | "no difference shown";
}

export interface KernelComparison {
  readonly rows: readonly KernelChange[];
  /** Kernels that only one record has. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
  /** Why the comparison may mislead, one clause each. */
  readonly cautions: readonly string[];
}

interface Entry {
  readonly key: string;
  readonly run: KernelRun;
  readonly row: KernelRow;
}

/** The kernel of another build counts as the same: `gemv_q4g32__simd` before, `gemv_q4g32__relaxed` after. */
function entries({ runs }: KernelRecord): Entry[] {
  return runs.flatMap((run) =>
    run.kernels.map((row) => {
      const name = row.kernel.slice(0, row.kernel.lastIndexOf("__"));
      return { key: `${name} ${run.shape.n}×${run.shape.k}, ${row.tokens} tokens, ${row.state}, ${run.threads} threads`, run, row };
    }),
  );
}

const over = (after: Interval, before: Interval): Interval => ({ value: after.value / before.value, low: after.low / before.high, high: after.high / before.low });

function change(before: Entry, after: Entry): KernelChange {
  const limit = before.row.state === "cold" ? "read" : "i16dot";
  const [b, a] = [before.row.of[limit], after.row.of[limit]];
  const rate = over(after.row.rate, before.row.rate);
  const share = a && b ? over(a, b) : undefined;
  const { low, high } = share ?? rate;
  const outcome = low > 1 ? "better" : high < 1 ? "worse" : "no difference shown";
  return { shape: after.run.shape.name, threads: after.run.threads, before: before.row, after: after.row, rate, share, outcome };
}

function cautions(before: KernelRecord, after: KernelRecord): string[] {
  const told = (what: string, of: (r: KernelRecord) => string) => (of(before) === of(after) ? [] : [`${what}: ${of(before)} before, ${of(after)} after`]);
  const wandered = [before, after].flatMap((r, i) =>
    r.runs.filter((run) => run.verdict.verdict !== "steady").map((run) => `${run.shape.name} on ${run.threads} threads ${i ? "after" : "before"}: ${run.verdict.reason}`),
  );
  return [...told("machine", (r) => `${r.machine.cpu}, ${r.machine.cores} cores`), ...told("engine", (r) => `${r.engine.name} ${r.engine.version}`), ...wandered];
}

/** Kernel by kernel, in the order of `after`. */
export function compareKernels(before: KernelRecord, after: KernelRecord): KernelComparison {
  const [earlier, later] = [entries(before), entries(after)];
  const find = (all: readonly Entry[], key: string) => all.find((e) => e.key === key);
  return {
    rows: later.flatMap((e) => {
      const old = find(earlier, e.key);
      return old ? [change(old, e)] : [];
    }),
    onlyBefore: earlier.filter((e) => !find(later, e.key)).map((e) => e.key),
    onlyAfter: later.filter((e) => !find(earlier, e.key)).map((e) => e.key),
    cautions: cautions(before, after),
  };
}
