// Mamba in GGUF: decay rates are stored as they are, convolutions as [n, k].
import type { Location } from "../architecture.ts";
import { bad } from "../fields.ts";
import { type GgufArchitecture, locateGguf } from "../gguf.ts";
import { layerWeight } from "../names.ts";

const PARTS: Readonly<Record<string, string>> = {
  norm: "attn_norm.",
  "mixer.in": "ssm_in.",
  "mixer.conv": "ssm_conv1d.",
  "mixer.x": "ssm_x.",
  "mixer.dt": "ssm_dt.",
  "mixer.out": "ssm_out.",
};

function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  if (!w) return locateGguf(weight);
  const layer = `blk.${w.layer}`;
  // A rate above zero is no decay: as a number that is none it is refused.
  if (w.part === "mixer.a") return [{ name: `${layer}.ssm_a`, map: (v) => (v > 0 ? Number.NaN : v) }];
  if (w.part === "mixer.d") return [{ name: `${layer}.ssm_d` }];
  return [{ name: `${layer}.${PARTS[w.part]}${w.kind}` }];
}

export const gguf: GgufArchitecture = {
  names: ["mamba"],
  config: (meta, facts) => {
    if (meta.flag("mamba.ssm.dt_b_c_rms", false)) bad("mamba.ssm.dt_b_c_rms", true, "false (norms within the mixer are not supported)");
    return {
      model_type: "mamba",
      vocab_size: facts.vocab,
      hidden_size: meta.whole("mamba.embedding_length", 1 << 16),
      num_hidden_layers: meta.whole("mamba.block_count", 512),
      intermediate_size: meta.whole("mamba.ssm.inner_size", 1 << 18),
      state_size: meta.whole("mamba.ssm.state_size", 1024),
      time_step_rank: meta.whole("mamba.ssm.time_step_rank", 1 << 16),
      conv_kernel: meta.whole("mamba.ssm.conv_kernel", 8),
      layer_norm_epsilon: meta.real("mamba.attention.layer_norm_rms_epsilon", 1e-5),
      tie_word_embeddings: facts.tied,
    };
  },
  locate,
};
