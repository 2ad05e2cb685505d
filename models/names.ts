// Names of weights in checkpoints, from a table of parts.
import type { Location } from "./architecture.ts";

/** `layers.3.attention.q.weight` → number, part, kind; undefined for weights outside the layers. */
export function layerWeight(weight: string): { layer: string; part: string; kind: string } | undefined {
  const m = /^layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(weight);
  return m ? { layer: m[1], part: m[2], kind: m[3] } : undefined;
}

const COMMON: Readonly<Record<string, string>> = {
  "attention.norm": "input_layernorm",
  "attention.q": "self_attn.q_proj",
  "attention.k": "self_attn.k_proj",
  "attention.v": "self_attn.v_proj",
  "attention.o": "self_attn.o_proj",
  "attention.q.norm": "self_attn.q_norm",
  "attention.k.norm": "self_attn.k_norm",
  "ffn.norm": "post_attention_layernorm",
  "ffn.gate": "mlp.gate_proj",
  "ffn.up": "mlp.up_proj",
  "ffn.down": "mlp.down_proj",
};

const TOP: Readonly<Record<string, string>> = { "embed.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight", "head.weight": "lm_head.weight" };

/** Hugging Face's names of the Llama-like families, with or without the leading `model.`; `parts` overrides. */
export function locator(parts: Readonly<Record<string, string>> = {}): (weight: string) => Location[] {
  const table = { ...COMMON, ...parts };
  return (weight) => {
    const w = layerWeight(weight);
    const name = w ? `model.layers.${w.layer}.${table[w.part]}.${w.kind}` : TOP[weight];
    return [{ name }, { name: name.replace(/^model\./, "") }];
  };
}
