// As many neurons as nearly every token needs (Li et al. 2022, "The Lazy Neuron Phenomenon"): k of a layer is what the share `share` of the calibration text's
// tokens has that are not 0, so that for those tokens nothing is lost. For activations that make zeros.
import { SkintError } from "../../../../runtime/errors.ts";
import { isRelu } from "../../../profile/layers.ts";
import type { Calibrator } from "../../calibrator.ts";

/** Least count that the share of all counts does not exceed. */
export function quantileOf(counts: Uint32Array, share: number): number {
  const wanted = share * counts.reduce((a, b) => a + b, 0);
  let [count, seen] = [0, counts[0]];
  while (seen < wanted && count < counts.length - 1) seen += counts[++count];
  return count;
}

export const calibrator: Calibrator = {
  name: "topk",
  summary: "all but the k greatest, k the neurons that are not 0 in the share `share` of tokens at most; for ReLU",
  settings: { share: 0.99 },
  complaint: ({ share }) => (typeof share === "number" && share > 0 && share <= 1 ? undefined : `share is ${share}, not above 0 and at most 1`),
  async calibrate(study, { share }) {
    const smooth = study.layers.find((l) => !isRelu(l));
    if (smooth)
      throw new SkintError(
        "recipe.invalid",
        `${smooth.name} has the activation ${smooth.activation}, which makes no zeros to count; calibrate its layers for cett, or give topk a number`,
        {
          what: smooth.name,
        },
      );
    const counts = study.layers.map((l) => new Uint32Array(l.neurons + 1));
    await study.measure((i, h) => {
      counts[i][h.reduce((sum, v) => sum + Number(v !== 0), 0)]++;
    });
    const ks = counts.map((c) => Math.max(1, quantileOf(c, share as number)));
    const dense = await study.dense();
    const perplexity = await study.perplexity((rules) => {
      for (const [i, l] of study.layers.entries()) rules.topk(l.name, ks[i]);
    });
    return {
      layers: new Map(study.layers.map((l, i) => [l.name, { mode: "topk", topk: ks[i] }])),
      about: { share, perplexityDense: dense, perplexity, layers: study.layers.map((l, i) => ({ layer: l.name, topk: ks[i], leftOut: 1 - ks[i] / l.neurons })) },
    };
  },
};
