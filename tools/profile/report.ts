// What `skint profile` prints: a table of layers, what each way of leaving out costs, and from where on lists pay here.
import { table } from "../cli/table.ts";
import type { BreakEven } from "./breakeven.ts";
import { type CurvesReport, RULES, type RuleName } from "./curves.ts";
import type { LayerProfile } from "./meter.ts";
import type { Profile } from "./profile.ts";
import type { Cost } from "./windows.ts";

export const percent = (v: number | null | undefined, digits = 1): string => (v === null || v === undefined ? "" : `${(100 * v).toFixed(digits)} %`);

type Column = readonly [name: string, cell: (l: LayerProfile) => string];

const levels = ({ cett }: LayerProfile) => cett.map((c) => c.cett);
const tops = ({ top }: LayerProfile) => top.filter((t) => t.share === 0.1 || t.share === 0.2).map((t) => t.share);

/** Columns of a layer's line, the first two to the left. */
export function columnsOf([first]: readonly LayerProfile[]): readonly Column[] {
  return [
    ["layer", (l) => l.layer],
    ["activation", (l) => `${l.activation}${l.gated ? ", gated" : ""}`],
    ["neurons", (l) => String(l.neurons)],
    ["not 0", (l) => percent(l.active.mean)],
    ["p99", (l) => percent(l.active.p99)],
    ["dead", (l) => String(l.firing.dead)],
    ["fire < 10 %", (l) => percent(l.firing.below10 / l.neurons)],
    ...levels(first).map((cett, i): Column => [`left out at CETT ${cett}`, (l) => percent(l.cett[i].sparsity)]),
    ...tops(first).map((share): Column => [`of top ${100 * share} %`, (l) => percent(l.top.find((t) => t.share === share)?.of)]),
    ["next token's core", (l) => percent(l.cores.tokens)],
    ["next 64 tokens'", (l) => percent(l.cores.runs)],
  ];
}

export const rowsOf = (columns: readonly Column[], layers: readonly LayerProfile[]): string[][] => layers.map((l) => columns.map(([, cell]) => cell(l)));

/** Shares that may be beyond all bounds. */
export const anyPercent = (v: number): string => (v < 1000 ? percent(v, v < 0.1 ? 2 : v < 10 ? 1 : 0) : `${(100 * v).toExponential(0).replace("+", "")} %`);

const signed = (v: number) => `${v >= 0 ? "+" : "−"}${anyPercent(Math.abs(v))}`;

/** "+1.02 % (0.91 … 1.13 %)". */
export function costText({ value, low, high }: Cost): string {
  return low === null || high === null ? signed(value) : `${signed(value)} (${signed(low)} … ${signed(high)})`;
}

/** Head and lines of the costs: a line for each share, a column for each rule. */
export function curveCells({ points }: CurvesReport): { head: string[]; rows: string[][] } {
  const rules = [...new Set(points.map((p) => p.rule))];
  const shares = [...new Set(points.map((p) => p.share))];
  const cell = (rule: RuleName, share: number) => {
    const p = points.find((q) => q.rule === rule && q.share === share);
    return p ? `${costText(p.cost)}${Math.abs(p.leftOut - share) > 0.02 ? ` at ${percent(p.leftOut)}` : ""}` : "";
  };
  return { head: ["left out", ...rules.map((r) => RULES[r])], rows: shares.map((share) => [percent(share, 0), ...rules.map((r) => cell(r, share))]) };
}

export function breakEvenText(found: BreakEven | undefined): string {
  if (!found) return "break-even: the model does not lie by neurons; profile its checkpoint, or compress it with the recipe w4n";
  const points = found.points.map((p) => `${percent(p.listed, 0)} ${p.ratio.toFixed(2)}`).join(", ");
  return `break-even here: a list is faster than all rows from ${percent(found.skip)} of neurons skipped on (step by share listed, over a dense one: ${points})`;
}

export function reportText(model: string, profile: Profile, found: BreakEven | undefined, curves: CurvesReport | undefined): string {
  const columns = columnsOf(profile.layers);
  const lines = [
    `${model}: ${profile.tokens} tokens in ${profile.windows} windows, perplexity ${profile.perplexity.toFixed(3)}`,
    "",
    table(
      columns.map(([name]) => name),
      rowsOf(columns, profile.layers),
      { right: columns.map((_, i) => i).slice(2) },
    ),
    "",
    breakEvenText(found),
  ];
  if (!curves) return lines.join("\n");
  const { head, rows } = curveCells(curves);
  return [
    ...lines,
    "",
    `perplexity by the share left out, ${curves.tokens} tokens behind prompts of ${curves.window / 2}; all neurons: ${curves.perplexity.toFixed(3)} (95 %, paired)`,
    table(head, rows),
  ].join("\n");
}
