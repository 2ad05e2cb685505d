// `skint compress`: a checkpoint becomes a model.skint.

import { readFileSync } from "node:fs";
import { SkintError } from "../../runtime/errors.ts";
import { createFile } from "../../targets/hosts/node/files.ts";
import type { Context } from "../cli/context.ts";
import { EXIT } from "../cli/errors.ts";
import { openDevice } from "../cli/model.ts";
import { table } from "../cli/table.ts";
import { bytes } from "../cli/units.ts";
import type { Verb } from "../verb.ts";
import { type CompressReport, compressModel } from "./compress.ts";
import { openAny } from "./open.ts";
import { parseRecipe, RECIPES, type Recipe, recipeNamed } from "./recipe.ts";

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

function report(r: CompressReport, out: string, verbose: boolean): string {
  const ratio = (r.sourceBytes / r.weightBytes).toFixed(2);
  const bits = ((8 * r.weightBytes) / r.parameters).toFixed(2);
  const head = `${out}: ${r.parameters} parameters, ${bytes(r.sourceBytes)} → ${bytes(r.weightBytes)} (${ratio}×, ${bits} bits a parameter), recipe ${r.recipe}${r.golden ? "" : ", no golden outputs (large model; --golden always makes them)"}`;
  if (!verbose) return head;
  const rows = r.matrices.map((m) => [m.name, m.scheme, `${m.n}×${m.k}`, bytes(m.bytes), `${(100 * Math.sqrt(m.relativeSquaredError)).toFixed(3)} %`]);
  return `${head}\n\n${table(["matrix", "scheme", "shape", "size", "relative error"], rows, { right: [2, 3, 4] })}`;
}

async function run(folder: string, o: Readonly<Record<string, unknown>>, context: Context): Promise<number> {
  const recipe = readRecipe(o.recipe as string);
  const out = o.out as string;
  const checkpoint = await openAny(folder);
  const progress = context.progress(`compressing ${folder}`);
  try {
    const { env } = await openDevice({ threads: 1 });
    const sink = await createFile(out);
    const result = await compressModel(checkpoint, sink, env, {
      recipe,
      golden: o.golden as "auto",
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.end();
    context.answer({ out, ...result }, () => report(result, out, Boolean(o.layers)));
    return EXIT.ok;
  } finally {
    progress.end();
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
    { flags: "-o, --out <file>", description: "file to write", default: "model.skint" },
    { flags: "--golden <when>", description: "golden outputs for the self-test after loading", choices: ["auto", "always", "never"], default: "auto" },
    { flags: "--layers", description: "list every matrix with its error" },
  ],
  run: ({ positional, options }, context) => run(positional[0] as string, options, context),
};
