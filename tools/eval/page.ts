// The report of several models as one HTML page that needs nothing else: a table, and charts of quality against size and speed, and of layers.
import type { Origin } from "../../runtime/stats/record.ts";
import { bytes } from "../cli/units.ts";
import type { MatrixReport } from "../compress/method.ts";
import { colour, escaped, lines, scatter } from "./chart.ts";
import type { Row } from "./score.ts";

export interface Page {
  readonly text: string;
  readonly rows: readonly Row[];
  /** Of each model. */
  readonly reports: readonly (readonly MatrixReport[])[];
  readonly origin: Origin;
}

const STYLE =
  "body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222;background:#fff}svg{width:100%;font:11px system-ui,sans-serif}table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.2em .6em;border-bottom:1px solid #ddd}th:first-child,td:first-child,th:nth-child(2),td:nth-child(2){text-align:left}";

/** A table of cells as HTML. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) => `<tr>${cells.map((c) => `<${tag}>${escaped(c)}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((cells) => line(cells, "td")).join("")}</table>`;
}

/** A page that needs nothing else, of parts that are HTML. */
export function htmlPage(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Skint: ${escaped(title.toLowerCase())}</title><style>${STYLE}</style>
<h1>${escaped(title)}</h1>
${parts.join("\n")}
</html>
`;
}

/** Names in their colours. */
export const legendOf = (names: readonly string[]): string => names.map((name, i) => `<span style="color:${colour(i)}">■</span> ${escaped(name)}`).join(" &nbsp; ");

const share = (squared: number) => Math.sqrt(squared);
const percent = (v: number) => `${(100 * v).toFixed(1)} %`;

/** Name by which a model is known in charts: its recipe, and the file where two have the same. */
export function namesOf(rows: readonly Row[]): string[] {
  return rows.map((r) => (rows.filter((o) => o.recipe === r.recipe).length > 1 ? `${r.recipe} (${r.model.split("/").at(-1)})` : r.recipe));
}

function tableOf({ rows }: Page): string {
  const head = ["model", "recipe", "size", "bits/byte", "95 %", "perplexity", "tokens/s", "quartiles"];
  const body = rows.map((r) => [
    r.model,
    r.recipe,
    bytes(r.bytes),
    r.bitsPerByte.toFixed(4),
    r.low === null ? "" : `${r.low.toFixed(4)}…${(r.high as number).toFixed(4)}`,
    r.perplexity.toFixed(3),
    r.rate?.median.toFixed(1) ?? "",
    r.rate ? `${r.rate.low.toFixed(1)}…${r.rate.high.toFixed(1)}` : "",
  ]);
  return htmlTable(head, body);
}

const LAYER = /^layers\.(\d+)\./;

/** Mean relative output error of a model's matrices, layer by layer, with the paths beside them. */
export function errorsByLayer(reports: readonly MatrixReport[]): (number | undefined)[] {
  const sums: { error: number; count: number }[] = [];
  for (const m of reports) {
    const layer = LAYER.exec(m.name)?.[1];
    const output = m.path?.output ?? m.output;
    if (layer === undefined || !output) continue;
    const at = Number(layer);
    sums[at] ??= { error: 0, count: 0 };
    sums[at].error += share(output.measured);
    sums[at].count++;
  }
  return Array.from(sums, (s) => s && s.error / s.count);
}

function charts({ rows, reports }: Page): string[] {
  const names = namesOf(rows);
  const y = { label: "bits per byte", format: (v: number) => v.toFixed(3) };
  const points = rows.map((r, i) => ({ name: names[i], y: r.bitsPerByte, low: r.low ?? undefined, high: r.high ?? undefined }));
  const out = [
    scatter({ title: "Quality against size", x: { label: "bytes of the file", format: bytes }, y, less: true, points: points.map((p, i) => ({ ...p, x: rows[i].bytes })) }),
  ];
  const rated = points.flatMap((p, i) => (rows[i].rate ? [{ ...p, x: (rows[i].rate as { median: number }).median }] : []));
  if (rated.length) out.push(scatter({ title: "Quality against speed", x: { label: "tokens a second, decoding", format: (v) => v.toFixed(0) }, y, less: false, points: rated }));
  const layered = reports.flatMap((r, i) => (r.some((m) => m.output) ? [{ name: names[i], colour: colour(i), values: errorsByLayer(r) }] : []));
  if (layered.length)
    out.push(lines({ title: "Relative error of the outputs, layer by layer", x: "layer", y: { label: "mean over matrices, measured", format: percent }, lines: layered }));
  return out;
}

export function pageOf(page: Page): string {
  const { rows, origin } = page;
  const [{ tokens, textBytes, window, stride, split }] = rows;
  return htmlPage("Models compared", [
    `<p>${escaped(page.text)}: ${tokens} tokens, ${textBytes} bytes; window ${window}, stride ${stride}, documents split at: ${split}. ${escaped(origin.machine.cpu)}, ${escaped(origin.engine.name)} ${escaped(origin.engine.version)}, ${escaped(origin.date)}.</p>`,
    tableOf(page),
    `<p>${legendOf(namesOf(rows))}. Ringed, on the dashed line: no other model is at once smaller (or faster) and better. Bars: 95 % of the figure itself; models are scored on the same tokens, so that differences are surer than the bars show.</p>`,
    ...charts(page),
  ]);
}
