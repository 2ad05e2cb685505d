// Gemma 1, 2 and 3 in GGUF. llama.cpp adds the norms' 1 to the stored weights, and knows the pattern of windows by architecture.
// Queries are scaled by the head size: right for all sizes but the 27B models.
import { commonConfig, type GgufArchitecture, locateGguf } from "../gguf.ts";

const TYPES: Readonly<Record<string, string>> = { gemma: "gemma", gemma2: "gemma2", gemma3: "gemma3_text" };

export const gguf: GgufArchitecture = {
  names: Object.keys(TYPES),
  config(meta, facts) {
    const name = meta.text("general.architecture");
    const key = (field: string) => `${name}.${field}`;
    return {
      ...commonConfig(meta, name, facts),
      model_type: TYPES[name],
      norm_offset: 0,
      ...(name === "gemma" ? {} : { sliding_window: meta.whole(key("attention.sliding_window"), 1 << 24, 4096) }),
      ...(name === "gemma2"
        ? { attn_logit_softcapping: meta.real(key("attn_logit_softcapping"), 50), final_logit_softcapping: meta.real(key("final_logit_softcapping"), 30) }
        : {}),
      ...(name === "gemma3" ? { rope_theta: meta.real(key("rope.freq_base"), 1e6), rope_local_base_freq: meta.real(key("rope.freq_base_swa"), 10000) } : {}),
    };
  },
  locate: locateGguf,
};
