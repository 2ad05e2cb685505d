// Records of kernels as text for a terminal: for each run the limits of the machine, then the kernels, shares of the limits first.
import type { Interval } from "../../../runtime/stats/bootstrap.ts";
import { table } from "../../cli/table.ts";
import { originRows } from "../report.ts";
import type { KernelChange, KernelComparison } from "./compare.ts";
import type { KernelRecord, KernelRow, KernelRun } from "./record.ts";

const three = (v: number) => (v >= 1000 ? v.toFixed(0) : v.toPrecision(3));
const spread = ({ low, high }: Interval) => `${three(low)} … ${three(high)}`;
const times = (i: Interval) => [`× ${i.value.toFixed(3)}`, `${i.low.toFixed(3)} … ${i.high.toFixed(3)}`];

function kernelCells({ limits }: KernelRun, { kernel, tokens, state, macs, bytes, rate, of }: KernelRow): string[] {
  const shares = limits.map(({ name, unit }) => (unit === "GB/s" && tokens > 1 ? "" : of[name].value.toFixed(2)));
  return [kernel, String(tokens), state, ...shares, three(rate.value), spread(rate), three((rate.value * bytes) / macs)];
}

/** One run: what was timed, the limits, the kernels. */
export function formatRun(run: KernelRun): string {
  const { shape, build, threads, rounds, limits, kernels, verdict } = run;
  const title = `${shape.name}: W ${shape.n} × ${shape.k}, ${build}, ${threads} ${threads === 1 ? "thread" : "threads"}, ${rounds} rounds; ${verdict.verdict}: ${verdict.reason}`;
  const most = limits.map((l) => [l.name, three(l.rate.value), l.unit, spread(l.rate), l.title]);
  const head = ["kernel", "tokens", "W", ...limits.map((l) => `of ${l.name}`), "GMAC/s", "95 % interval", "GB/s of W"];
  const rows = table(
    head,
    kernels.map((k) => kernelCells(run, k)),
    { right: [1, ...limits.map((_, i) => 3 + i), 3 + limits.length, 5 + limits.length] },
  );
  return [title, ...(most.length ? [table(["limit", "", "", "95 % interval", ""], most, { right: [1] })] : []), rows].join("\n\n");
}

export function formatKernels(record: KernelRecord): string {
  return [table([], [...originRows(record), ["date", record.date]]), ...record.runs.map(formatRun)].join("\n\n");
}

function changeCells({ shape, threads, before, after, rate, share, outcome }: KernelChange): string[] {
  return [
    after.kernel,
    shape,
    String(after.tokens),
    after.state,
    String(threads),
    ...(share ? times(share) : ["", ""]),
    outcome,
    three(before.rate.value),
    three(after.rate.value),
    times(rate)[0],
  ];
}

/** What `--against` prints. */
export function formatKernelComparison(before: KernelRecord, after: KernelRecord, { rows, onlyBefore, onlyAfter, cautions }: KernelComparison): string {
  const head = ["kernel", "shape", "tokens", "W", "threads", "share", "at least … at most", "", "GMAC/s before", "after", "ratio"];
  const parts = [table([], [...originRows(after), ["before", before.date], ["after", after.date]])];
  parts.push(rows.length ? table(head, rows.map(changeCells), { right: [2, 4, 5, 6, 8, 9, 10] }) : "no kernel stands in both records");
  const lists = [onlyBefore.map((k) => `only before: ${k}`), onlyAfter.map((k) => `only after: ${k}`), cautions.map((c) => `caution: ${c}`)].flat();
  if (lists.length) parts.push(lists.join("\n"));
  return parts.join("\n\n");
}
