// The profile as one HTML page that needs nothing else: the table of layers, sparsity, firing, contributions and cores as charts, and the curves.
import type { Origin } from "../../runtime/stats/record.ts";
import { colour, curves as draw, escaped, lines, standalone } from "../eval/chart.ts";
import { htmlPage, htmlTable, legendOf } from "../eval/page.ts";
import type { BreakEven } from "./breakeven.ts";
import { type CurvesReport, RULES, type RuleName } from "./curves.ts";
import { CETT_LEVELS, type LayerProfile } from "./meter.ts";
import type { Profile } from "./profile.ts";
import { anyPercent, breakEvenText, columnsOf, curveCells, percent, rowsOf } from "./report.ts";

export interface Page {
  readonly model: string;
  readonly text: string;
  readonly profile: Profile;
  readonly breakEven: BreakEven | undefined;
  readonly curves: CurvesReport | undefined;
  readonly origin: Origin;
}

/** Places along a line of sorted neurons. */
const PLACES = 64;
const share = (v: number) => percent(v, 0);
const short = ({ layer }: LayerProfile) => /^layers\.(\d+)\./.exec(layer)?.[1] ?? layer;

function sparsity({ layers }: Profile): string {
  const all = [
    { name: "exactly 0", values: layers.map((l) => 1 - l.active.mean) },
    ...CETT_LEVELS.map((cett, i) => ({ name: `below the threshold at CETT ${cett}`, values: layers.map((l) => l.cett[i].sparsity) })),
  ].map((l, i) => ({ ...l, colour: colour(i) }));
  return `${lines({ title: "Share of neurons that can be left out", x: "layer", y: { label: "share, mean over tokens", format: share }, lines: all })}<p>${legendOf(all.map((l) => l.name))}</p>`;
}

/** A line for each layer. */
const byLayer = (layers: readonly LayerProfile[], values: (l: LayerProfile) => readonly (number | undefined)[]) =>
  layers.map((l, i) => ({ name: l.layer, colour: colour(i), values: values(l) }));

function firing({ layers }: Profile): string {
  const values = ({ rates }: LayerProfile) => {
    const sorted = [...rates].sort((a, b) => b - a);
    return Array.from({ length: PLACES + 1 }, (_, i) => sorted[Math.round((i / PLACES) * (sorted.length - 1))]);
  };
  return lines({
    title: "How often neurons fire",
    x: "neurons, those that fire most first",
    placeOf: (i) => share(i / PLACES),
    y: { label: "share of tokens in which one is not 0", format: share },
    lines: byLayer(layers, values),
  });
}

function active({ layers, tokens }: Profile): string {
  const bins = layers[0].activeHistogram.length;
  return lines({
    title: "Neurons that are not 0, token by token",
    x: "share of the layer's neurons",
    placeOf: (i) => share(i / bins),
    y: { label: "share of tokens", format: share },
    lines: byLayer(layers, (l) => l.activeHistogram.map((c) => c / tokens)),
  });
}

function contributions({ layers }: Profile): string {
  const from = Math.min(...layers.map((l) => l.contributions.from));
  const all = (l: LayerProfile) => l.contributions.zero + l.contributions.counts.reduce((a, b) => a + b, 0);
  return lines({
    title: "Contributions |h| ‖w‖ that are not 0",
    x: "contribution",
    placeOf: (i) => (2 ** (from + Math.round(i))).toExponential(0),
    y: { label: "share of neurons and tokens", format: share },
    lines: byLayer(layers, (l) => [...new Array<undefined>(l.contributions.from - from).fill(undefined), ...l.contributions.counts.map((c) => c / all(l))]),
  });
}

function cores({ layers }: Profile): string[] {
  const growth = layers[0].cores.growth;
  if (growth.length < 2) return [];
  return [
    lines({
      title: "Core of a text and of the same text with 64 tokens more",
      x: "tokens of the text",
      placeOf: (i) => String(growth[Math.round(i)]?.tokens ?? ""),
      y: { label: "overlap, a fifth of the neurons", format: share },
      lines: byLayer(layers, (l) => l.cores.growth.map((g) => g.overlap)),
    }),
  ];
}

/** Least cost that is drawn. */
const LEAST = 1e-4;
const log = (cost: number) => Math.log10(Math.max(cost, LEAST));

const rulesOf = ({ points }: CurvesReport) => [...new Set(points.map((p) => p.rule))];

function costChart(report: CurvesReport, title: string): string {
  const line = (rule: RuleName) =>
    report.points
      .filter((p) => p.rule === rule)
      .map(({ leftOut: x, cost }) => ({ x, y: log(cost.value), ...(cost.low === null || cost.high === null ? {} : { low: log(cost.low), high: log(cost.high) }) }))
      .sort((a, b) => a.x - b.x);
  return draw({
    title,
    x: { label: "share of neurons left out", format: share },
    y: { label: `perplexity over ${report.perplexity.toFixed(3)}, less 1`, format: (v) => anyPercent(10 ** v) },
    curves: rulesOf(report).map((rule, i) => ({ name: RULES[rule], colour: colour(i), points: line(rule) })),
  });
}

/** The costs of a model as a picture: SVG that needs nothing else. */
export const costPicture = (report: CurvesReport, model: string): string =>
  standalone(
    costChart(report, `${model}: what leaving out neurons costs`),
    rulesOf(report).map((rule) => RULES[rule]),
  );

function curvesOf(report: CurvesReport): string[] {
  const { head, rows } = curveCells(report);
  return [
    "<h2>Perplexity against sparsity</h2>",
    costChart(report, "What leaving out neurons costs"),
    `<p>${legendOf(rulesOf(report).map((r) => RULES[r]))}. ${report.tokens} tokens behind prompts of ${report.window / 2} that are read with all neurons; thresholds and frequencies come from the other windows of the text. Bars: 95 %, paired. What costs less than ${percent(LEAST, 2)} is drawn there.</p>`,
    htmlTable(head, rows),
  ];
}

export function pageOf({ model, text, profile, breakEven, curves, origin }: Page): string {
  const columns = columnsOf(profile.layers);
  const { cpu } = origin.machine;
  return htmlPage("Activation sparsity", [
    `<p>${escaped(model)} on ${escaped(text)}: ${profile.tokens} tokens in ${profile.windows} windows, perplexity ${profile.perplexity.toFixed(3)}. ${escaped(cpu)}, ${escaped(origin.engine.name)} ${escaped(origin.engine.version)}, ${escaped(origin.date)}.</p>`,
    htmlTable(
      columns.map(([name]) => name),
      rowsOf(columns, profile.layers),
    ),
    `<p>${escaped(breakEvenText(breakEven))}.</p>`,
    sparsity(profile),
    firing(profile),
    active(profile),
    contributions(profile),
    ...cores(profile),
    `<p>Layers: ${legendOf(profile.layers.map(short))}.</p>`,
    ...(curves ? curvesOf(curves) : []),
  ]);
}
