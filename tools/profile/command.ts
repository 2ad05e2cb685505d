// `skint profile`: which neurons of a model's feed-forward layers matter on a text, how steadily, and from where on leaving out the others pays here.
import { readFileSync, writeFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import { attempt } from "../../targets/hosts/node/files.ts";
import { origin } from "../bench/record.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { FFN_OPTION } from "../cli/ffn.ts";
import { ENGINE_OPTIONS, openModel, ranOn } from "../cli/model.ts";
import { whole } from "../cli/values.ts";
import { isCheckpoint } from "../compress/open.ts";
import { documentsOf, type Split, splitOfCard } from "../eval/evaluate.ts";
import type { Verb } from "../verb.ts";
import { breakEvenOf } from "./breakeven.ts";
import { type CurvesReport, reportOf, sweep } from "./curves.ts";
import { pageOf } from "./page.ts";
import { profileOf } from "./profile.ts";
import { reportText } from "./report.ts";
import { windowsOf } from "./windows.ts";

const DEFAULT_TOKENS = 4096;
const DEFAULT_WINDOW = 256;
/** Of checkpoints, whose layers then lie by neurons. */
const RECIPE = "w4n";

type Options = Readonly<Record<string, unknown>>;

function readText(path: string | undefined): string {
  if (path === undefined) throw new SkintError("usage", "there is no text to profile the model on; give a UTF-8 file with --text", { what: "--text" });
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    throw new SkintError("file.missing", `the text ${path} cannot be read; give a UTF-8 text file`, { what: path }, { cause: e });
  }
}

function cut(model: Model, path: string, text: string, o: Options): Uint32Array[] {
  const documents = documentsOf(model, text, (o.split as Split | undefined) ?? splitOfCard(model.card));
  const window = Math.min((o.window as number | undefined) ?? DEFAULT_WINDOW, model.engine.graph.context);
  return windowsOf(documents, window, o.tokens as number, path);
}

async function curvesOf(model: Model, windows: readonly Uint32Array[], context: Context): Promise<CurvesReport> {
  const progress = context.progress("leaving out", "readings");
  const onProgress = (done: number, total: number) => progress.update(done, total);
  return reportOf(await sweep(model, windows, { signal: context.signal, onProgress }).finally(() => progress.end()));
}

async function run(path: string, o: Options, context: Context): Promise<number> {
  const text = readText(o.text as string | undefined);
  const opened = await openModel(path, { ...o, recipe: o.recipe ?? (isCheckpoint(path) ? RECIPE : undefined) }, context, { golden: false });
  const { model } = opened;
  try {
    const windows = cut(model, o.text as string, text, o);
    const progress = context.progress("reading", "tokens");
    const profile = await profileOf(model, windows, { signal: context.signal, onProgress: (done, total) => progress.update(done, total) }).finally(() => progress.end());
    const curves = o.curves ? await curvesOf(model, windows, context) : undefined;
    const breakEven = await breakEvenOf(model, context.signal);
    const html = o.html as string | undefined;
    const here = origin();
    if (html !== undefined) attempt(html, "written", () => writeFileSync(html, pageOf({ model: path, text: o.text as string, profile, breakEven, curves, origin: here })));
    const answer = { kind: "profile", ...here, ...ranOn(opened), model: path, recipe: model.recipe, text: o.text, ...profile, breakEven: breakEven ?? null };
    context.answer(curves ? { ...answer, curves } : answer, () => reportText(path, profile, breakEven, curves));
    return EXIT.ok;
  } finally {
    model.close();
  }
}

export const verb: Verb = {
  name: "profile",
  summary: "which neurons of the feed-forward layers a text needs",
  description:
    "Reads a text with all neurons and tells of every feed-forward layer how many neurons are not 0, how many could be left out at some CETT (the norm of what they add over that of the layer's output), how much the greatest of them add, which never fire, and how long the core of a token or a text lasts. Then measures on this machine from which share of skipped neurons on a list of the others is faster than all rows. --curves also scores half of the text with ever more neurons left out, by CETT, the greatest of each token, one threshold, the core of the prompt, the neurons most frequent in the text, and at random. A checkpoint is packed with the recipe w4n first.",
  example: "skint profile models/tiny-relu --text models/tiny-swiglu/heldout.txt\nskint profile relu.skint --text heldout.txt --curves --html relu.html",
  arguments: [{ name: "<model>", description: "a model.skint file, a checkpoint folder or a .gguf file" }],
  options: [
    { flags: "--text <file>", description: "the UTF-8 text to read" },
    { flags: "--tokens <n>", description: "most tokens to read", default: DEFAULT_TOKENS, parse: whole("--tokens", { min: 2 }) },
    { flags: "--window <n>", description: `tokens that are read together (default: ${DEFAULT_WINDOW}, at most the context)`, parse: whole("--window", { min: 2 }) },
    { flags: "--split <how>", description: "where documents end (default: what the model's card says, else none)", choices: ["blank-line", "none"] },
    { flags: "--curves", description: "also score the text with neurons left out in several ways" },
    { flags: "--html <file>", description: "write a page with charts" },
    ...ENGINE_OPTIONS.filter((option) => option !== FFN_OPTION),
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
