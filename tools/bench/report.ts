// A result record as text for a terminal, and two records side by side. Pure functions: the machine and the engine come first, then the figures
// with their spread, then the verdict. A run that was not steady gets no headline.
import type { Comparison, ComparisonRow, Figure, Origin, ResultRecord } from "../../runtime/stats/record.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";

/** A value in its unit, four digits that count: 1234 ms, 98.76 tokens/s, 1.90 MB for unit "B". */
export function amount(value: number, unit: string): string {
  return unit === "B" ? bytes(value) : `${digits(value)} ${unit}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  return size >= 1000 && size < 1e15 ? value.toFixed(0) : size >= 0.001 && size < 1000 ? value.toPrecision(4) : value.toExponential(2);
}

const bare = (value: number, unit: string) => (unit === "B" ? bytes(value) : digits(value));

/** Median and interval of one figure: 101.0 tokens/s (95 % interval 98.00 … 103.0). */
export function headline(figure: Figure): string {
  const { median, low, high, unit } = figure;
  return `${amount(median, unit)} (95 % interval ${bare(low, unit)} … ${bare(high, unit)})`;
}

function present(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(", ");
}

/** Machine, system and engine, as rows of a table. */
export function originRows({ machine, engine }: Origin): string[][] {
  const clock = machine.maxMegahertz === undefined ? undefined : `up to ${machine.maxMegahertz.toFixed(0)} MHz`;
  const governor = machine.governor === undefined ? "governor not readable" : `governor ${machine.governor}`;
  return [
    ["machine", present(machine.board, machine.cpu, `${machine.cores} cores`, clock, governor, bytes(machine.memoryBytes))],
    ["system", present(machine.os, machine.arch)],
    ["engine", present(`${engine.name} ${engine.version}`, engine.core)],
  ];
}

function about(record: ResultRecord): string {
  const { builds, fallbacks, tuned, features, model, recipe, threads, date } = record;
  return table(
    [],
    [
      ...originRows(record),
      ["build", present(builds.join(" "), `${threads} threads`, tuned ? "tuned" : undefined, features.length > 0 ? `features ${features.join(" ")}` : "no optional features")],
      ...(fallbacks ? [["not taken", fallbacks.join("; ")]] : []),
      ["model", present(model.name, bytes(model.bytes), `recipe ${recipe}`, `hash ${model.hash.slice(0, 12)}`)],
      ["date", date],
    ],
  );
}

function figureRow({ id, unit, n, median, low, high, p95, p99, min, max }: Figure): string[] {
  return [id, bare(median, unit), `${bare(low, unit)} … ${bare(high, unit)}`, ...[p95, p99, min, max].map((v) => bare(v, unit)), String(n), unit];
}

/** The whole record: machine and engine first, figures, verdict, and one headline if the run was steady. */
export function formatRecord(record: ResultRecord): string {
  const figures = table(["figure", "median", "95 % interval", "p95", "p99", "min", "max", "n", "unit"], record.figures.map(figureRow), { right: [1, 2, 3, 4, 5, 6, 7] });
  const { verdict, reason } = record.verdict;
  const first = record.figures[0];
  const parts = [about(record), record.figures.length > 0 ? figures : "no figures"];
  if (verdict !== "steady") parts.push(`${verdict}: ${reason}; no headline figure, let the machine rest and measure again`);
  else if (first) parts.push(`steady: ${reason}\n${first.id}: ${headline(first)}`);
  else parts.push(`steady: ${reason}`);
  return parts.join("\n\n");
}

const OUTCOME_MARK = { better: "+", worse: "-", "no difference shown": "=" } as const;

function comparisonRow({ id, unit, before, after, ratio, low, high, outcome }: ComparisonRow): string[] {
  const spread = low === null || high === null ? "" : `${low.toFixed(3)} … ${high.toFixed(3)}`;
  return [id, bare(before.median, unit), bare(after.median, unit), ratio === null ? "-" : `× ${ratio.toFixed(3)}`, spread, `${OUTCOME_MARK[outcome]} ${outcome}`, unit];
}

/** What `--against` prints: the later run, then figure by figure before and after, then what speaks against trusting it. */
export function formatComparison(before: ResultRecord, after: ResultRecord, { rows, onlyBefore, onlyAfter, cautions }: Comparison): string {
  const parts = [about(after), `before: ${before.date}, after: ${after.date}`];
  parts.push(
    rows.length > 0
      ? table(["figure", "before", "after", "ratio", "ratio at least … at most", "outcome", "unit"], rows.map(comparisonRow), { right: [1, 2, 3, 4] })
      : "no figure stands in both records",
  );
  const missing = [onlyBefore.length > 0 ? `only before: ${onlyBefore.join(", ")}` : "", onlyAfter.length > 0 ? `only after: ${onlyAfter.join(", ")}` : ""].filter(
    (line) => line !== "",
  );
  if (missing.length > 0) parts.push(missing.join("\n"));
  if (cautions.length > 0) parts.push(["caution:", ...cautions.map((line) => `  ${line}`)].join("\n"));
  return parts.join("\n\n");
}
