// `skint eval`: bits per byte and perplexity of a text, of one model or of several on the same tokens; a page that draws them.
import { readFileSync, writeFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { ENDLESS } from "../../runtime/graph/types.ts";
import { compareScores, type ScoreDifference, type Scores } from "../../runtime/stats/perplexity.ts";
import { attempt } from "../../targets/hosts/node/files.ts";
import { origin } from "../bench/record.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import { whole } from "../cli/values.ts";
import { isCheckpoint } from "../compress/open.ts";
import type { Verb } from "../verb.ts";
import { pageOf } from "./page.ts";
import { type Frame, type Options, type Row, ratesOf, reportsOf, scoreOne } from "./score.ts";

function report(rows: readonly Row[], differences: readonly ScoreDifference[]): string {
  const r = rows[0];
  const frame = r.window === ENDLESS ? "one window a document" : `window ${r.window}, stride ${r.stride}`;
  const cells = rows.map((x) => [
    x.model,
    x.recipe,
    bytes(x.bytes),
    x.bitsPerByte.toFixed(4),
    x.low === null ? "" : `${x.low.toFixed(4)}…${(x.high as number).toFixed(4)}`,
    x.perplexity.toFixed(3),
    ...(x.rate ? [x.rate.median.toFixed(1)] : []),
  ]);
  const lines = [
    `${r.tokens} tokens, ${r.textBytes} bytes of text; ${frame}, documents split at: ${r.split}`,
    "",
    table(["model", "recipe", "size", "bits/byte", "95 %", "perplexity", ...(r.rate ? ["tokens/s"] : [])], cells, { right: [2, 3, 5, 6] }),
  ];
  for (const [i, d] of differences.entries()) {
    const interval = d.differenceInterval;
    const spread = interval ? ` (95 % ${interval.low.toFixed(5)}…${interval.high.toFixed(5)}, paired)` : "";
    lines.push(`${i ? "" : "\n"}${rows[i + 1].model} less ${r.model}: ${d.difference.toFixed(5)} bits/byte${spread}, ratio ${d.ratio.toFixed(5)}`);
  }
  return lines.join("\n");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    throw new SkintError("file.missing", `the text ${path} cannot be read; give a UTF-8 text file behind the models`, { what: path }, { cause: e });
  }
}

interface Given {
  readonly models: readonly string[];
  readonly text: string;
}

function sortOut(files: readonly string[], against: string | undefined): Given {
  if (files.length < 2) throw new SkintError("usage", `${files[0]} is one file; give one or more models, then the text to score`, { what: "<files...>" });
  return { models: [...files.slice(0, -1), ...(against === undefined ? [] : [against])], text: files[files.length - 1] };
}

async function run(files: readonly string[], o: Options, context: Context): Promise<number> {
  const { models, text: path } = sortOut(files, o.against as string | undefined);
  const text = readText(path);
  const recipeOf = (i: number) =>
    i > 0 && i === models.length - 1 && o.against !== undefined ? o.againstRecipe : isCheckpoint(models[i]) || models.length === 1 ? o.recipe : undefined;
  const options = (i: number): Options => ({ ...o, recipe: recipeOf(i) });
  const rows: Row[] = [];
  const scores: Scores[] = [];
  let how: Frame | undefined;
  for (const [i, model] of models.entries()) {
    const scored = await scoreOne(model, text, options(i), how, context);
    rows.push(scored.row);
    scores.push(scored.scores);
    how ??= scored.how;
  }
  const html = o.html as string | undefined;
  if (o.speed || html !== undefined) {
    const rates = await ratesOf(models, options, context);
    for (const [i, rate] of rates.entries()) rows[i] = { ...rows[i], rate };
  }
  const differences = scores.slice(1).map((s) => compareScores(scores[0], s));
  if (html !== undefined) {
    const reports = await Promise.all(models.map(reportsOf));
    attempt(html, "written", () => writeFileSync(html, pageOf({ text: path, rows, reports, origin: origin() })));
  }
  context.answer({ kind: "eval", ...origin(), results: rows, ...(differences.length ? { difference: differences[0], differences } : {}) }, () => report(rows, differences));
  return EXIT.ok;
}

export const verb: Verb = {
  name: "eval",
  summary: "bits per byte and perplexity of a text, of one model or several",
  description:
    "Scores a text in sliding windows: each window feeds `window` tokens from position 0, the first scores all its predictions, each later one its last `stride`. Several models are scored on the same tokens, and each is compared with the first, with the interval of the paired difference. --html writes one page that needs nothing else: quality against size and against measured speed, and the errors of layers.",
  example:
    "skint eval model.skint models/tiny-swiglu/heldout.txt\nskint eval models/tiny-swiglu models/tiny-swiglu/heldout.txt --recipe f32 --against model.skint\nskint eval w4.skint 24w4.skint q161.skint heldout.txt --html models.html",
  arguments: [{ name: "<files...>", description: "models (model.skint files, checkpoint folders), then a UTF-8 text file" }],
  options: [
    { flags: "--against <model>", description: "one more model, compared on the same tokens" },
    { flags: "--against-recipe <name>", description: "recipe for that model if it is a folder" },
    { flags: "--speed", description: "measure how fast each decodes, taking turns" },
    { flags: "--html <file>", description: "write the comparison as a page with charts, speed included" },
    { flags: "--window <n>", description: "tokens a window feeds (default: the context)", parse: whole("--window", { min: 1 }) },
    { flags: "--stride <n>", description: "tokens between windows (default: half a window)", parse: whole("--stride", { min: 1 }) },
    { flags: "--split <how>", description: "where documents end (default: what the model's card says, else none)", choices: ["blank-line", "none"] },
    { flags: "--tokens <n>", description: "most tokens to score", parse: whole("--tokens", { min: 1 }) },
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) => run(positional[0] as readonly string[], options, context),
};
