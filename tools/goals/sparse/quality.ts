// Quality of leaving out neurons: how near the calibration for 1 % of perplexity comes to 1 % on text it has not seen, and what cores cost beside random sets.
import { memorySink, memorySource } from "../../../runtime/io/source.ts";
import { loadModel, type Model } from "../../../runtime/session/model.ts";
import { openFolder } from "../../../targets/hosts/node/files.ts";
import { openDevice } from "../../cli/model.ts";
import { openCheckpoint } from "../../compress/checkpoint.ts";
import { compressModel } from "../../compress/compress.ts";
import { recipeNamed } from "../../compress/recipe.ts";
import { documentsOf, splitOfCard } from "../../eval/evaluate.ts";
import { type Reading, type Sweep, sweep } from "../../profile/curves.ts";
import { observe } from "../../profile/layers.ts";
import { type Cost, costOf, readWindows, windowsOf } from "../../profile/windows.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { heldOut } from "../slice/quality.ts";

const MODELS = ["models/tiny-relu", "models/tiny-swiglu"] as const;
const WINDOW = 512;
const ALL = 1_000_000;

/** The model as a recipe makes it, calibrated on all of a text where the recipe asks for one. */
async function withModel<T>(folder: string, recipe: string, { signal }: GoalContext, use: (model: Model) => Promise<T>, text?: string): Promise<T> {
  const { env } = await openDevice({});
  const checkpoint = await openCheckpoint(await openFolder(folder));
  const sink = memorySink();
  const calibration = text === undefined ? undefined : { text: { name: "half of the held-out text", text }, tokens: ALL };
  await compressModel(checkpoint, sink, env, { recipe: recipeNamed(recipe), golden: "never", signal, calibration });
  await checkpoint.store.close();
  const model = await loadModel(memorySource(sink.bytes(), folder), env, { signal });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const windowsFor = (model: Model, text = heldOut()) => windowsOf(documentsOf(model, text, splitOfCard(model.card)), WINDOW);

/** Chapters by turns. */
function halvesOf(text: string): readonly [string, string] {
  const chapters = text.trimEnd().split("\n\n");
  const half = (turn: number) => chapters.filter((_, i) => i % 2 === turn).join("\n\n");
  return [half(0), half(1)];
}

/** ln p of a text's tokens with all neurons, and with what the model leaves out by itself. */
async function bothReadings(model: Model, text: string, { signal }: GoalContext): Promise<{ dense: Float64Array; sparse: Float64Array }> {
  const windows = windowsFor(model, text);
  const { engine, close } = observe(model, WINDOW);
  try {
    const sparse = await readWindows(engine, windows, { signal });
    engine.ffn.set({ mode: "dense" });
    return { sparse, dense: await readWindows(engine, windows, { signal }) };
  } finally {
    close();
  }
}

const percent = ({ value, low, high }: Cost) => `${(100 * value).toFixed(3)} %${low === null || high === null ? "" : ` (${(100 * low).toFixed(3)} … ${(100 * high).toFixed(3)})`}`;
const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((p) => [...p]));

/**
 * Distance from 1 % of what `w4n-cett1` costs on text that neither calibration nor training saw, in points; the farther of the models. The calibration.txt of
 * the house is training text, on which leaving out costs something else, so each half of the held-out chapters is calibrated on the other: two folds, pooled.
 */
export async function onePercent(context: GoalContext): Promise<Measured> {
  const [a, b] = halvesOf(heldOut());
  const found: { value: number; note: string }[] = [];
  for (const folder of MODELS) {
    context.note(`  ${folder}`);
    const folds = [];
    for (const [seen, unseen] of [
      [a, b],
      [b, a],
    ])
      folds.push(await withModel(folder, "w4n-cett1", context, (model) => bothReadings(model, unseen, context), seen));
    const pooled = costOf(joined(folds.map((f) => f.dense)), joined(folds.map((f) => f.sparse)));
    const each = folds.map((f) => percent(costOf(f.dense, f.sparse))).join(" and ");
    found.push({ value: Math.abs(100 * pooled.value - 1), note: `${folder} ${percent(pooled)}; halves ${each}` });
  }
  return { value: Math.max(...found.map((f) => f.value)), note: found.map((f) => f.note).join("; ") };
}

/** Shares of neurons outside a core: β from a half down. */
const OUTSIDE = [0.5, 0.6, 0.7, 0.8, 0.9] as const;
const mean = (v: Float64Array) => v.reduce((a, b) => a + b, 0) / v.length;

/** Nats a token that each rule costs, by share. */
function costs({ dense, readings }: Sweep, share: number): Map<string, number> {
  const of = (r: Reading) => [r.rule, mean(dense) - mean(r.lnp)] as const;
  return new Map(readings.filter((r) => r.share === share).map(of));
}

/**
 * Log-perplexity that cores of the prompt cost in the text behind it over what random sets of equal size do, all layers alike; the worst of models and
 * shares.
 */
export async function coreOverRandom(context: GoalContext): Promise<Measured> {
  const found: { value: number; note: string }[] = [];
  for (const folder of MODELS) {
    context.note(`  ${folder}`);
    const made = await withModel(folder, "w4n", context, (model) =>
      sweep(model, windowsFor(model), { rules: ["core", "frequency", "random"], shares: OUTSIDE, signal: context.signal }),
    );
    for (const share of OUTSIDE) {
      const [core, frequency, random] = ["core", "frequency", "random"].map((rule) => costs(made, share).get(rule) as number);
      found.push({ value: core / random, note: `${folder} β ${(1 - share).toFixed(1)} ${(core / random).toFixed(2)} (frequency ${(frequency / random).toFixed(2)})` });
    }
  }
  return { value: Math.max(...found.map((f) => f.value)), note: found.map((f) => f.note).join(", ") };
}
