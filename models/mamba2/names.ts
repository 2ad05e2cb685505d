// Names of Mamba-2's weights in checkpoints of transformers and of the authors' package, which differ in that of the embedding.
import { exp } from "../../runtime/num/det.ts";
import type { Location } from "../architecture.ts";
import { layerWeight } from "../names.ts";

const PARTS: Readonly<Record<string, string>> = {
  norm: "norm.",
  "mixer.in": "mixer.in_proj.",
  "mixer.conv": "mixer.conv1d.",
  "mixer.norm": "mixer.norm.",
  "mixer.out": "mixer.out_proj.",
};

const TOP: Readonly<Record<string, string[]>> = {
  "embed.weight": ["backbone.embeddings.weight", "backbone.embedding.weight"],
  "norm.weight": ["backbone.norm_f.weight"],
  "head.weight": ["lm_head.weight"],
};

export function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  if (!w) return TOP[weight].map((name) => ({ name }));
  const layer = `backbone.layers.${w.layer}`;
  // Decay rates are stored as logarithms.
  if (w.part === "mixer.a") return [{ name: `${layer}.mixer.A_log`, map: (v) => -exp(v) }];
  if (w.part === "mixer.d") return [{ name: `${layer}.mixer.D` }];
  if (w.part === "mixer.dt") return [{ name: `${layer}.mixer.dt_bias` }];
  return [{ name: `${layer}.${PARTS[w.part]}${w.kind}`, depthwise: w.part === "mixer.conv" && w.kind === "weight" }];
}
