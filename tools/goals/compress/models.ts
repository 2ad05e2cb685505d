// Models of the house, compressed once for all goals that ask, and scored on the same held-out tokens.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openPack } from "../../../runtime/formats/skint/reader.ts";
import type { StoredTensor } from "../../../runtime/formats/store.ts";
import { memorySink, memorySource } from "../../../runtime/io/source.ts";
import { loadModel } from "../../../runtime/session/model.ts";
import { type Scores, scoreText } from "../../../runtime/stats/perplexity.ts";
import { openDevice } from "../../cli/model.ts";
import type { Checkpoint } from "../../compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../compress/compress.ts";
import { openAny } from "../../compress/open.ts";
import { type Recipe, recipeNamed, withRank } from "../../compress/recipe.ts";
import { evaluate, splitOfCard } from "../../eval/evaluate.ts";
import type { GoalContext } from "../goal.ts";

export const MODELS = ["models/tiny-swiglu", "models/tiny-relu"];

/** Path of SmolLM2-135M as GGUF, in the long set. */
export const SMOL = process.env.SKINT_LONG && existsSync(process.env.SKINT_SMOL ?? "") ? process.env.SKINT_SMOL : undefined;

/** Tokens of the held-out text that a model is scored on: all 20 950 for those of the house, as 8192 leave differences of a thousandth open. */
const tokensOf = (folder: string) => (folder === SMOL ? 8192 : undefined);

/** A recipe by name, or what it is made of. */
export interface Variant {
  readonly name: string;
  readonly recipe: Recipe;
  /** What becomes of rows f32 [rows, k] of a linear's weights before they are compressed. */
  readonly rows?: (w: Float32Array, k: number) => void;
}

export const named = (name: string, rank?: number): Variant => {
  const recipe = recipeNamed(name);
  return rank === undefined ? { name, recipe } : { name: `${name} rank ${rank}`, recipe: withRank(recipe, rank) };
};

export interface Compressed {
  readonly bytes: Uint8Array;
  readonly report: CompressReport;
}

/** All models of the house share the texts of one. */
const textOf = (name: string) => readFileSync(join("models/tiny-swiglu", name), "utf8");
const CALIBRATION = "calibration.txt";

const packs = new Map<string, Promise<Compressed>>();
const scores = new Map<string, Promise<Scores>>();

function once<T>(all: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const have = all.get(key) ?? make();
  all.set(key, have);
  return have;
}

/** The checkpoint with rows of all matrices but the embedding changed as they are read. */
function changed(c: Checkpoint, rows: NonNullable<Variant["rows"]>): Checkpoint {
  const readF32: Checkpoint["store"]["readF32"] = async (name, row, count, out) => {
    await c.store.readF32(name, row, count, out);
    const { shape } = c.store.tensors.get(name) as StoredTensor;
    if (shape.length === 2 && !c.locate("embed.weight").some((at) => at.name === name)) rows(out.subarray(0, count * shape[1]), shape[1]);
  };
  const { name, tensors } = c.store;
  return { ...c, store: { name, tensors, readBytes: (...args) => c.store.readBytes(...args), readF32, close: () => c.store.close() } };
}

export function compressed(folder: string, { name, recipe, rows }: Variant, { signal, note }: GoalContext): Promise<Compressed> {
  return once(packs, `${folder} ${name}`, async () => {
    note(`  ${folder}: ${name}`);
    const checkpoint = await openAny(folder);
    try {
      const { env } = await openDevice({});
      const sink = memorySink();
      const report = await compressModel(rows ? changed(checkpoint, rows) : checkpoint, sink, env, {
        recipe,
        signal,
        calibration: { text: { name: CALIBRATION, text: textOf(CALIBRATION) } },
      });
      return { bytes: sink.bytes() as Uint8Array, report };
    } finally {
      await checkpoint.store.close();
    }
  });
}

export function scored(folder: string, variant: Variant, context: GoalContext): Promise<Scores> {
  return once(scores, `${folder} ${variant.name}`, async () => {
    const { bytes } = await compressed(folder, variant, context);
    const { env } = await openDevice({});
    const model = await loadModel(memorySource(bytes, variant.name), env, { score: true });
    try {
      const window = model.engine.options.context;
      return await evaluate(model, textOf("heldout.txt"), { split: splitOfCard(model.card), window, stride: window >> 1, tokens: tokensOf(folder), signal: context.signal });
    } finally {
      model.close();
    }
  });
}

export const bitsPerByte = async (folder: string, variant: Variant, context: GoalContext) => scoreText(await scored(folder, variant, context)).bitsPerByte;

export const openCompressed = ({ bytes }: Compressed) => openPack(memorySource(bytes, "goal"));
