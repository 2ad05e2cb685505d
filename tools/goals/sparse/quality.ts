// Quality of leaving out neurons: how near the calibration for 1 % of perplexity comes to 1 % on text it has not seen, and what cores cost beside random sets.
import { readFileSync } from "node:fs";
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
import { costOf, readWindows, windowsOf } from "../../profile/windows.ts";
import type { GoalContext, Measured } from "../goal.ts";
import { heldOut } from "../slice/quality.ts";

const MODELS = ["models/tiny-relu", "models/tiny-swiglu"] as const;
/** The models of the house share their texts. */
const CALIBRATION = "models/tiny-swiglu/calibration.txt";
const WINDOW = 512;
const ALL = 1_000_000;

async function withModel<T>(folder: string, recipe: string, { signal }: GoalContext, use: (model: Model) => Promise<T>): Promise<T> {
  const { env } = await openDevice({});
  const checkpoint = await openCheckpoint(await openFolder(folder));
  const sink = memorySink();
  const text = { name: CALIBRATION, text: readFileSync(CALIBRATION, "utf8") };
  await compressModel(checkpoint, sink, env, { recipe: recipeNamed(recipe), golden: "never", signal, calibration: { text, tokens: ALL } });
  await checkpoint.store.close();
  const model = await loadModel(memorySource(sink.bytes(), folder), env, { signal });
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

const windowsFor = (model: Model) => windowsOf(documentsOf(model, heldOut(), splitOfCard(model.card)), WINDOW);

/** Distance from 1 % of what `w4n-cett1` costs on held-out text, in points; the farther of the models. */
export async function onePercent(context: GoalContext): Promise<Measured> {
  const found: { value: number; note: string }[] = [];
  for (const folder of MODELS) {
    context.note(`  ${folder}`);
    const { value, low, high } = await withModel(folder, "w4n-cett1", context, async (model) => {
      const windows = windowsFor(model);
      const observed = observe(model, WINDOW);
      try {
        const sparse = await readWindows(observed.engine, windows, { signal: context.signal });
        observed.engine.ffn.set({ mode: "dense" });
        return costOf(await readWindows(observed.engine, windows, { signal: context.signal }), sparse);
      } finally {
        observed.close();
      }
    });
    const interval = low === null || high === null ? "" : ` (${(100 * low).toFixed(3)} … ${(100 * high).toFixed(3)})`;
    found.push({ value: Math.abs(100 * value - 1), note: `${folder} ${(100 * value).toFixed(3)} %${interval}` });
  }
  return { value: Math.max(...found.map((f) => f.value)), note: found.map((f) => f.note).join(", ") };
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
