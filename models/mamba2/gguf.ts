// Mamba-2 in GGUF: decay rates and skips are stored as [heads, 1], the norm behind the gate as [groups, channels a group], convolutions as [n, k].
import type { Location } from "../architecture.ts";
import { bad } from "../fields.ts";
import { type GgufArchitecture, locateGguf } from "../gguf.ts";
import { layerWeight } from "../names.ts";

const PARTS: Readonly<Record<string, string>> = {
  norm: "attn_norm.",
  "mixer.in": "ssm_in.",
  "mixer.conv": "ssm_conv1d.",
  "mixer.out": "ssm_out.",
};

const VECTORS: Readonly<Record<string, Location>> = {
  // A rate above zero is no decay: as a number that is none it is refused.
  "mixer.a": { name: "ssm_a", flat: true, map: (v) => (v > 0 ? Number.NaN : v) },
  "mixer.d": { name: "ssm_d", flat: true },
  "mixer.dt": { name: "ssm_dt.bias" },
  "mixer.norm": { name: "ssm_norm.weight", flat: true },
};

function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  if (!w) return locateGguf(weight);
  const layer = `blk.${w.layer}`;
  const vector = VECTORS[w.part];
  return [vector ? { ...vector, name: `${layer}.${vector.name}` } : { name: `${layer}.${PARTS[w.part]}${w.kind}` }];
}

export const gguf: GgufArchitecture = {
  names: ["mamba2"],
  config: (meta, facts) => {
    const inner = meta.whole("mamba2.ssm.inner_size", 1 << 18);
    const heads = meta.whole("mamba2.ssm.time_step_rank", 1 << 16);
    const groups = meta.whole("mamba2.ssm.group_count", 4096, 1);
    if (groups > 1) bad("mamba2.ssm.group_count", groups, "1 (norms over groups of channels are not supported)");
    if (inner % heads) bad("mamba2.ssm.time_step_rank", heads, `the number of heads, a divisor of the ${inner} channels`);
    return {
      model_type: "mamba2",
      vocab_size: facts.vocab,
      hidden_size: meta.whole("mamba2.embedding_length", 1 << 16),
      intermediate_size: inner,
      num_hidden_layers: meta.whole("mamba2.block_count", 512),
      num_heads: heads,
      head_dim: inner / heads,
      n_groups: groups,
      state_size: meta.whole("mamba2.ssm.state_size", 1024),
      conv_kernel: meta.whole("mamba2.ssm.conv_kernel", 8),
      layer_norm_epsilon: meta.real("mamba2.attention.layer_norm_rms_epsilon", 1e-5),
      tie_word_embeddings: facts.tied,
    };
  },
  locate,
};
