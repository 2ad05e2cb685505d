// `skint eval`: bits per byte and perplexity of a text; `--against` compares two models on the same tokens.
import { readFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { ENDLESS } from "../../runtime/graph/types.ts";
import type { Model } from "../../runtime/session/model.ts";
import { compareScores, type ScoreDifference, type Scores, scoreText } from "../../runtime/stats/perplexity.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { ENGINE_OPTIONS, openModel, ranOn } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import { whole } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import { evaluate, type Split, splitOfCard } from "./evaluate.ts";

interface Row {
  readonly model: string;
  readonly recipe: string;
  readonly bytes: number;
  readonly build: string;
  readonly threads: number;
  readonly tuned: boolean;
  readonly fallbacks: readonly string[];
  readonly window: number;
  readonly stride: number;
  readonly split: Split;
  readonly tokens: number;
  readonly textBytes: number;
  readonly bitsPerByte: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly perplexity: number;
}

type Options = Readonly<Record<string, unknown>>;

/** Window and stride are the same for both models: what the first one, or the options, say. */
function frame(model: Model, o: Options): { split: Split; window: number; stride: number } {
  const window = Math.min((o.window as number | undefined) ?? model.engine.options.context, model.engine.options.context);
  const stride = (o.stride as number | undefined) ?? Math.max(1, window >> 1);
  if (stride > window) throw new SkintError("usage", `--stride ${stride} is longer than the window of ${window} tokens; tokens between would not be scored`, { what: "--stride" });
  return { split: (o.split as Split | undefined) ?? splitOfCard(model.card), window, stride };
}

async function scoreOne(path: string, recipe: string | undefined, text: string, o: Options, fixed: ReturnType<typeof frame> | undefined, context: Context) {
  const opened = await openModel(path, { ...o, recipe }, context, { score: true });
  const { model } = opened;
  const progress = context.progress(`scoring with ${path}`, "tokens");
  try {
    const how = fixed ?? frame(model, o);
    const scores = await evaluate(model, text, {
      ...how,
      tokens: o.tokens as number | undefined,
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    const s = scoreText(scores);
    const row: Row = {
      model: path,
      recipe: model.recipe,
      bytes: opened.bytes,
      ...ranOn(opened),
      ...how,
      tokens: s.tokens,
      textBytes: s.bytes,
      bitsPerByte: s.bitsPerByte,
      low: s.interval?.low ?? null,
      high: s.interval?.high ?? null,
      perplexity: s.perplexity,
    };
    return { row, scores, how };
  } finally {
    progress.end();
    model.close();
  }
}

function report(rows: readonly Row[], difference: ScoreDifference | undefined): string {
  const r = rows[0];
  const frame = r.window === ENDLESS ? "one window a document" : `window ${r.window}, stride ${r.stride}`;
  const cells = rows.map((x) => [
    x.model,
    x.recipe,
    bytes(x.bytes),
    x.bitsPerByte.toFixed(4),
    x.low === null ? "" : `${x.low.toFixed(4)}…${(x.high as number).toFixed(4)}`,
    x.perplexity.toFixed(3),
  ]);
  const lines = [
    `${r.tokens} tokens, ${r.textBytes} bytes of text; ${frame}, documents split at: ${r.split}`,
    "",
    table(["model", "recipe", "size", "bits/byte", "95 %", "perplexity"], cells, { right: [2, 3, 5] }),
  ];
  if (difference) {
    const i = difference.differenceInterval;
    lines.push(
      "",
      `second less first: ${difference.difference.toFixed(5)} bits/byte${i ? ` (95 % ${i.low.toFixed(5)}…${i.high.toFixed(5)}, paired)` : ""}, ratio ${difference.ratio.toFixed(5)}`,
    );
  }
  return lines.join("\n");
}

async function run(path: string, textFile: string, o: Options, context: Context): Promise<number> {
  let text: string;
  try {
    text = readFileSync(textFile, "utf8");
  } catch (e) {
    throw new SkintError("file.missing", `the text ${textFile} cannot be read; give a UTF-8 text file`, { what: textFile }, { cause: e });
  }
  const first = await scoreOne(path, o.recipe as string | undefined, text, o, undefined, context);
  const rows = [first.row];
  let difference: ScoreDifference | undefined;
  if (o.against !== undefined) {
    const second = await scoreOne(o.against as string, o.againstRecipe as string | undefined, text, o, first.how, context);
    rows.push(second.row);
    difference = compareScores(first.scores as Scores, second.scores as Scores);
  }
  context.answer({ results: rows, ...(difference ? { difference } : {}) }, () => report(rows, difference));
  return EXIT.ok;
}

export const verb: Verb = {
  name: "eval",
  summary: "bits per byte and perplexity of a text",
  description:
    "Scores a text in sliding windows: each window feeds `window` tokens from position 0, the first scores all its predictions, each later one its last `stride`. With --against a second model is scored on the same tokens and the paired difference is given with its interval.",
  example: "skint eval model.skint models/tiny-swiglu/heldout.txt\nskint eval models/tiny-swiglu models/tiny-swiglu/heldout.txt --recipe f32 --against model.skint",
  arguments: [
    { name: "<model>", description: "a model.skint file or a checkpoint folder" },
    { name: "<text>", description: "a UTF-8 text file" },
  ],
  options: [
    { flags: "--against <model>", description: "a second model, compared on the same tokens" },
    { flags: "--against-recipe <name>", description: "recipe for the second model if it is a folder" },
    { flags: "--window <n>", description: "tokens a window feeds (default: the context)", parse: whole("--window", { min: 1 }) },
    { flags: "--stride <n>", description: "tokens between windows (default: half a window)", parse: whole("--stride", { min: 1 }) },
    { flags: "--split <how>", description: "where documents end (default: what the model's card says, else none)", choices: ["blank-line", "none"] },
    { flags: "--tokens <n>", description: "most tokens to score", parse: whole("--tokens", { min: 1 }) },
    ...ENGINE_OPTIONS,
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, positional[1] as string, options, context),
};
