// GGUF files as checkpoints: metadata keys as a config.json would say them, names of tensors. What families share; models/<arch>/gguf.ts adds to it.
// Extensions to config.json that only GGUF needs: `rope_pairing` (llama.cpp permutes Llama's q and k), `norm_offset` (Gemma's 1 is
// added to the stored weights), `rope_factors` (Llama 3's scaling, stored as a tensor).
import { SkintError } from "../runtime/errors.ts";
import type { GgufMetadata } from "../runtime/formats/gguf/metadata.ts";
import type { Config, Location } from "./architecture.ts";
import { layerWeight } from "./names.ts";

/** What the tensors of a file say beside its metadata. */
export interface GgufFacts {
  /** Rows of the embedding. */
  readonly vocab: number;
  /** There is no `output.weight`. */
  readonly tied: boolean;
  /** Which linears have biases. */
  readonly biases: { readonly attention: boolean; readonly ffn: boolean };
  /** The tensor `rope_freqs.weight` [dh / 2], if there is one: each inverse frequency is divided by its factor. */
  readonly ropeFactors?: readonly number[];
}

export interface GgufArchitecture {
  /** Values of `general.architecture`. */
  readonly names: readonly string[];
  config(meta: GgufMetadata, facts: GgufFacts): Config;
  locate(weight: string): Location[];
}

const LARGE = 1 << 24;

/** The keys that Llama-like architectures share; `prefix` is general.architecture. */
export function commonConfig(meta: GgufMetadata, prefix: string, facts: GgufFacts): Record<string, unknown> {
  const key = (name: string) => `${prefix}.${name}`;
  const width = meta.whole(key("embedding_length"), 1 << 16);
  const heads = meta.whole(key("attention.head_count"), 1024);
  const dh = meta.whole(key("attention.key_length"), 1024, Math.floor(width / heads));
  const rot = meta.whole(key("rope.dimension_count"), 1024, dh);
  if (rot !== dh)
    throw new SkintError("model.config", `${key("rope.dimension_count")} is ${rot}, the head size ${dh} was expected: heads that are turned in part are not supported`, {
      what: key("rope.dimension_count"),
    });
  return {
    vocab_size: facts.vocab,
    hidden_size: width,
    num_attention_heads: heads,
    num_key_value_heads: meta.whole(key("attention.head_count_kv"), 1024, heads),
    head_dim: dh,
    intermediate_size: meta.whole(key("feed_forward_length"), 1 << 18),
    num_hidden_layers: meta.whole(key("block_count"), 512),
    max_position_embeddings: meta.whole(key("context_length"), LARGE),
    rms_norm_eps: meta.real(key("attention.layer_norm_rms_epsilon"), 1e-6),
    rope_theta: meta.real(key("rope.freq_base"), 10000),
    rope_scaling: scaling(meta, key),
    rope_factors: facts.ropeFactors,
    tie_word_embeddings: facts.tied,
    attention_bias: facts.biases.attention,
    mlp_bias: facts.biases.ffn,
  };
}

function scaling(meta: GgufMetadata, key: (name: string) => string): Record<string, unknown> | null {
  // As llama.cpp: a factor without a type is linear, and older files have it under another key.
  const factor = meta.real(key("rope.scaling.factor"), meta.real(key("rope.scale_linear"), 1));
  const type = meta.text(key("rope.scaling.type"), "linear");
  return type === "none" || (type === "linear" && factor === 1) ? null : { type, factor };
}

const PARTS: Readonly<Record<string, string>> = {
  "attention.norm": "attn_norm",
  "attention.q": "attn_q",
  "attention.k": "attn_k",
  "attention.v": "attn_v",
  "attention.o": "attn_output",
  "attention.q.norm": "attn_q_norm",
  "attention.k.norm": "attn_k_norm",
  "attention.postnorm": "post_attention_norm",
  "ffn.norm": "ffn_norm",
  "ffn.gate": "ffn_gate",
  "ffn.up": "ffn_up",
  "ffn.down": "ffn_down",
  "ffn.postnorm": "post_ffw_norm",
};

const TOP: Readonly<Record<string, string>> = {
  "embed.weight": "token_embd.weight",
  "positions.weight": "position_embd.weight",
  "norm.weight": "output_norm.weight",
  "norm.bias": "output_norm.bias",
  "head.weight": "output.weight",
};

/** llama.cpp's name of a weight. */
export function locateGguf(weight: string): Location[] {
  const w = layerWeight(weight);
  return [{ name: w ? `blk.${w.layer}.${PARTS[w.part]}.${w.kind}` : TOP[weight] }];
}
