// What `skint profile --curves --json` wrote, as tables and a picture: layers, and perplexity against the share of neurons left out.
import { field, fields, given, list, number, oneOf, text } from "../../../runtime/stats/fields.ts";
import { type CurvesReport, RULES } from "../../profile/curves.ts";
import type { LayerProfile } from "../../profile/meter.ts";
import { costPicture } from "../../profile/page.ts";
import { columnsOf, curveCells, rowsOf } from "../../profile/report.ts";

/** What is shown of a profile. */
export interface ProfileRow {
  readonly model: string;
  readonly recipe: string;
  readonly text: string;
  readonly tokens: number;
  readonly perplexity: number;
  readonly layers: readonly LayerProfile[];
  readonly curves?: CurvesReport;
}

type From = ReturnType<typeof fields>;

const inside = (from: From, key: string, at: string) => fields(field(from, key), `${at}${key}`);
const numbers = (from: From, keys: readonly string[], at: string) => keys.forEach((key) => void number(from, key, at));
const orNull = (from: From, keys: readonly string[], at: string) => keys.forEach((key) => void (field(from, key) === null || number(from, key, at)));

/** Checks the fields that the columns of a layer read. */
function layerOf(item: unknown, path: string): LayerProfile {
  const from = fields(item, path);
  const at = `${path}.`;
  for (const key of ["layer", "activation"]) text(from, key, at);
  number(from, "neurons", at);
  numbers(inside(from, "active", at), ["mean", "p99"], `${at}active.`);
  numbers(inside(from, "firing", at), ["dead", "below10"], `${at}firing.`);
  orNull(inside(from, "cores", at), ["tokens", "runs"], `${at}cores.`);
  for (const [key, names] of [
    ["cett", ["cett", "sparsity"]],
    ["top", ["share", "of"]],
  ] as const)
    for (const [i, v] of list(from, key, at).entries()) numbers(fields(v, `${at}${key}[${i}]`), names, `${at}${key}[${i}].`);
  return item as LayerProfile;
}

function curvesOf(item: unknown): CurvesReport {
  const from = fields(item, "curves");
  numbers(from, ["window", "tokens", "perplexity"], "curves.");
  for (const [i, p] of list(from, "points", "curves.").entries()) {
    const at = `curves.points[${i}].`;
    const point = fields(p, `curves.points[${i}]`);
    oneOf(point, "rule", at, Object.keys(RULES));
    numbers(point, ["share", "leftOut"], at);
    const cost = inside(point, "cost", at);
    number(cost, "value", `${at}cost.`);
    orNull(cost, ["low", "high"], `${at}cost.`);
  }
  return item as CurvesReport;
}

/** Throws `format.header`. */
export function profileOf(from: From): ProfileRow {
  const [model, recipe, read] = ["model", "recipe", "text"].map((key) => text(from, key, ""));
  const [tokens, perplexity] = ["tokens", "perplexity"].map((key) => number(from, key, ""));
  const layers = list(from, "layers", "").map((l, i) => layerOf(l, `layers[${i}]`));
  return { model, recipe, text: read, tokens, perplexity, layers, curves: given(from, "curves", () => curvesOf(field(from, "curves"))) };
}

/** Names of files, without the folders of the machine where it was made. */
const last = (path: string) => path.split("/").at(-1) as string;

/**
 * @param table makes one of a head and rows
 * @param picture where that of the curves lies
 */
export function profileTables(p: ProfileRow, table: (head: readonly string[], rows: readonly (readonly string[])[]) => string, picture: string): string[] {
  const columns = columnsOf(p.layers);
  const about = `${last(p.model)}, \`${p.recipe}\`, on ${last(p.text)}: ${p.tokens} tokens, perplexity ${p.perplexity.toFixed(3)} with all neurons.`;
  const layers = table(
    columns.map(([name]) => name),
    rowsOf(columns, p.layers),
  );
  if (!p.curves) return [about, layers];
  const { head, rows } = curveCells(p.curves);
  const { tokens, window, perplexity } = p.curves;
  const costs = `What leaving out costs: perplexity over ${perplexity.toFixed(3)}, less 1, of ${tokens} tokens behind prompts of ${window / 2}; 95 %, paired.`;
  return [about, layers, costs, table(head, rows), `![${last(p.model)}: perplexity against the share of neurons left out](${picture})`];
}

/** The picture of the curves as SVG, if there are any. */
export const profilePicture = ({ model, curves }: ProfileRow): string | undefined => curves && costPicture(curves, last(model));
