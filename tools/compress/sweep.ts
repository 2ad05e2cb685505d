// The share of the magnitudes of a scan's input that its range holds, chosen by what it costs: the model is compressed with each of some shares, and scores
// the calibration text. What is clipped falls on the same few great values again and again, and only the loss tells whether they matter.

import type { Sink } from "../../runtime/io/source.ts";
import { memorySink, memorySource } from "../../runtime/io/source.ts";
import { type Environment, loadModel } from "../../runtime/session/model.ts";
import { compareScores, type Scores } from "../../runtime/stats/perplexity.ts";
import { evaluate, splitOfCard } from "../eval/evaluate.ts";
import type { ModelCalibration } from "./calibration.ts";
import { type Checkpoint, graphOf } from "./checkpoint.ts";
import type { Recipe } from "./recipe.ts";

/** Shares that are tried. */
export const CLIPS = [1, 0.99999, 0.9999, 0.9995, 0.999] as const;

/** Tokens that are scored, and of a window. */
const [TOKENS, WINDOW] = [16384, 512];

/** Of scores with all values and with less of them, which is best: less must be surely better (95 %), or nothing is clipped. */
export function bestOf(scores: readonly Scores[]): number {
  const [whole, ...others] = scores;
  let [best, least] = [0, 0];
  for (const [i, s] of others.entries()) {
    const { difference, differenceInterval } = compareScores(whole, s);
    if (differenceInterval && differenceInterval.high < 0 && difference < least) [best, least] = [i + 1, difference];
  }
  return best;
}

/**
 * The recipe with a share in place of `sweep`; others as they are.
 * @param compress the checkpoint with a recipe into a sink
 */
export async function sweptRecipe(c: Checkpoint, env: Environment, o: ModelCalibration, compress: (recipe: Recipe, into: Sink) => Promise<unknown>): Promise<Recipe> {
  const { scan } = o.recipe;
  if (scan?.clip !== "sweep") return o.recipe;
  const withClip = (clip: number): Recipe => ({ ...o.recipe, scan: { ...scan, clip } });
  const text = o.calibration?.text ?? (await c.calibration?.());
  // Without a text the compression says what it lacks; without a scan there is nothing to clip.
  if (!text || !graphOf(c, o.recipe).nodes.some((n) => n.op === "scan")) return withClip(1);
  const scores: Scores[] = [];
  for (const clip of CLIPS) {
    const sink = memorySink();
    await compress(withClip(clip), sink);
    const model = await loadModel(memorySource(sink.bytes(), `${c.name}, ${clip} of its values`), env, { score: true, context: WINDOW });
    try {
      scores.push(await evaluate(model, text.text, { split: splitOfCard(c.card), window: WINDOW, stride: WINDOW, tokens: TOKENS, signal: o.signal }));
    } finally {
      model.close();
    }
  }
  return withClip(CLIPS[bestOf(scores)]);
}
