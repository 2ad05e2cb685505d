// `skint compress`: a checkpoint becomes a model.skint.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { SkintError } from "../../runtime/errors.ts";
import { createFile } from "../../targets/hosts/node/files.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { openDevice } from "../cli/model.ts";
import type { Progress } from "../cli/progress.ts";
import { table } from "../cli/table.ts";
import { bytes, parseBytes } from "../cli/units.ts";
import { number, whole } from "../cli/values.ts";
import type { Verb } from "../verb.ts";
import { withinBudget } from "./budget.ts";
import type { CalibrationText } from "./calibrate/sequences.ts";
import { mayCalibrate } from "./calibration.ts";
import { type CompressReport, compressModel } from "./compress.ts";
import type { MatrixReport } from "./method.ts";
import { openInitialised } from "./open.ts";
import { parseRecipe, RECIPES, type Recipe, recipeNamed, withRank } from "./recipe.ts";

/** A built-in recipe's name, or a path ending in .json. */
function readRecipe(name: string): Recipe {
  if (!name.endsWith(".json")) return recipeNamed(name);
  let text: string;
  try {
    text = readFileSync(name, "utf8");
  } catch (e) {
    throw new SkintError(
      "file.missing",
      `the recipe ${name} cannot be read; name a built-in one (${RECIPES.map((r) => r.name).join(", ")}) or a JSON file`,
      { what: name },
      { cause: e },
    );
  }
  return parseRecipe(text);
}

function budgetOf(text: string): number {
  const size = parseBytes(text);
  if (size) return size;
  throw new SkintError("usage", `--budget is ${JSON.stringify(text)}; give a size such as 60MB`, { what: "--budget" });
}

const numberOf = number("--rank", { min: 0 });
const rankOf = (text: string) => (text === "auto" ? text : numberOf(text));

function readCalibration(path: string): CalibrationText {
  try {
    return { name: basename(path), text: readFileSync(path, "utf8") };
  } catch (e) {
    throw new SkintError("file.missing", `the calibration text ${path} cannot be read; give a UTF-8 text file`, { what: path }, { cause: e });
  }
}

function report(r: CompressReport, out: string, verbose: boolean): string {
  const ratio = (r.sourceBytes / r.weightBytes).toFixed(2);
  const bits = ((8 * r.weightBytes) / r.parameters).toFixed(2);
  const head = `${out}: ${r.parameters} parameters, ${bytes(r.sourceBytes)} → ${bytes(r.weightBytes)} (${ratio}×, ${bits} bits a parameter), recipe ${r.recipe}${r.golden ? "" : ", no golden outputs (large model; --golden always makes them)"}`;
  const lines = [head];
  if (r.calibration) lines.push(`calibrated with ${r.calibration.tokens} tokens of ${r.calibration.text}, seed ${r.calibration.seed}`);
  if (verbose) lines.push("", layers(r));
  return lines.join("\n");
}

type Column = readonly [name: string, cell: (m: MatrixReport) => string];

/** Relative errors, of weights and where they are known of outputs. */
function layers(r: CompressReport): string {
  const share = (squared: number | undefined) => (squared === undefined ? "" : `${(100 * Math.sqrt(squared)).toFixed(3)} %`);
  const columns: readonly Column[] = [
    ["matrix", (m) => m.name],
    ["scheme", (m) => m.scheme],
    ["shape", (m) => `${m.n}×${m.k}`],
    ["size", (m) => bytes(m.bytes)],
    ["relative error", (m) => share(m.relativeSquaredError)],
    ["of output", (m) => share(m.output?.predicted)],
    ["measured", (m) => share(m.output?.measured)],
    ["rank", (m) => `${m.path?.rank ?? ""}`],
    ["size of path", (m) => (m.path ? bytes(m.path.bytes) : "")],
    ["of output with it", (m) => share(m.path?.output?.predicted)],
    ["measured", (m) => share(m.path?.output?.measured)],
  ];
  const shown = columns.filter(([, cell], i) => i < 5 || r.matrices.some((m) => cell(m) !== ""));
  return table(
    shown.map(([name]) => name),
    r.matrices.map((m) => shown.map(([, cell]) => cell(m))),
    { right: shown.map((_, i) => i).slice(2) },
  );
}

async function run(folder: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const named = readRecipe(o.recipe as string);
  const recipe = o.rank === undefined ? named : withRank(named, o.rank as number | "auto");
  const out = o.out as string;
  const checkpoint = await openInitialised(folder, o.initFrom as string | undefined);
  const shown = new Map<string, Progress>();
  const show = (what: string, unit: string) => {
    if (shown.has(what)) return shown.get(what) as Progress;
    for (const earlier of shown.values()) earlier.end();
    shown.set(what, context.progress(`${what} ${folder}`, unit));
    return shown.get(what) as Progress;
  };
  try {
    const { env } = await openDevice({ threads: o.budget !== undefined || mayCalibrate(recipe) ? undefined : 1 });
    const options = {
      recipe,
      golden: o.golden as "auto",
      calibration: {
        text: o.calibration === undefined ? undefined : readCalibration(o.calibration as string),
        tokens: o.calibrationTokens as number | undefined,
        seed: o.calibrationSeed as number | undefined,
        compressedInputs: !o.plainInputs,
        state: `${out}.state`,
        resume: Boolean(o.resume),
      },
      signal: context.signal,
      onCalibration: (done: number, total: number) => show("calibrating", "tokens").update(done, total),
    };
    const budget = o.budget as number | undefined;
    const onCalibration = (done: number, total: number) => show("trying", "tokens").update(done, total);
    const chosen = budget === undefined ? recipe : await withinBudget(checkpoint, env, { ...options, onCalibration }, budget);
    const sink = await createFile(out);
    const result = await compressModel(checkpoint, sink, env, {
      ...options,
      recipe: chosen,
      onProgress: (done, total) => show("compressing", "bytes").update(done, total),
    });
    for (const progress of shown.values()) progress.end();
    for (const warning of result.warnings) context.note(warning);
    context.answer({ out, ...result }, () => report(result, out, Boolean(o.layers)));
    return EXIT.ok;
  } finally {
    for (const progress of shown.values()) progress.end();
    await checkpoint.store.close();
  }
}

export const verb: Verb = {
  name: "compress",
  summary: "turn a checkpoint into a model.skint",
  description: `Reads a folder with config.json, tokenizer.json and safetensors, or a GGUF file (whole or split), gives every matrix the scheme its recipe says, and writes one model.skint. Streams: memory stays at a few times the largest tensor. Recipes:\n${RECIPES.map((r) => `  ${r.name.padEnd(8)} ${r.summary}`).join("\n")}`,
  example: "skint compress models/tiny-swiglu --recipe w4 --out tiny.skint\nskint compress models/tiny-swiglu --recipe my-recipe.json --out tiny.skint --layers",
  arguments: [{ name: "<checkpoint>", description: "folder of the checkpoint, or a .gguf file" }],
  options: [
    { flags: "-r, --recipe <name>", description: "a built-in recipe or a JSON file", default: "w4" },
    {
      flags: "--rank <n>",
      description: "rank of the paths of a recipe that has some; below 1 a share of each input's width; auto: until 99 % of the lost energy is back",
      parse: rankOf,
    },
    { flags: "--budget <size>", description: "choose schemes and ranks layer by layer for a file of at most so much, such as 60MB", parse: budgetOf },
    { flags: "-o, --out <file>", description: "file to write", default: "model.skint" },
    { flags: "--golden <when>", description: "golden outputs for the self-test after loading", choices: ["auto", "always", "never"], default: "auto" },
    { flags: "--calibration <file>", description: "text for recipes that calibrate (default: the checkpoint's own calibration.txt)" },
    { flags: "--calibration-tokens <n>", description: "tokens to calibrate with (default: 4 for each channel, at least 8192)", parse: whole("--calibration-tokens", { min: 1 }) },
    { flags: "--calibration-seed <n>", description: "which of the text's sequences (default: 1)", parse: whole("--calibration-seed", { min: 0 }) },
    { flags: "--plain-inputs", description: "calibrate each layer with inputs of the model as it was, not of the layers compressed before it" },
    { flags: "--init-from <file>", description: "take weights from this safetensors file where it has them, such as ones trained to be quantised" },
    { flags: "--resume", description: "go on where a calibration was stopped" },
    { flags: "--layers", description: "list every matrix with its error" },
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
