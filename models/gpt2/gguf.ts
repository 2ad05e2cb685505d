// GPT-2 in GGUF: linears are stored as [n, k], q, k and v together.
import type { Location } from "../architecture.ts";
import { type GgufArchitecture, locateGguf } from "../gguf.ts";
import { layerWeight } from "../names.ts";

const QKV = ["attention.q", "attention.k", "attention.v"];

function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  const index = w ? QKV.indexOf(w.part) : -1;
  return w && index >= 0 ? [{ name: `blk.${w.layer}.attn_qkv.${w.kind}`, part: { index, of: 3 } }] : locateGguf(weight);
}

export const gguf: GgufArchitecture = {
  names: ["gpt2"],
  config: (meta, facts) => ({
    model_type: "gpt2",
    vocab_size: facts.vocab,
    n_embd: meta.whole("gpt2.embedding_length", 1 << 16),
    n_head: meta.whole("gpt2.attention.head_count", 1024),
    n_layer: meta.whole("gpt2.block_count", 512),
    n_inner: meta.whole("gpt2.feed_forward_length", 1 << 18),
    n_positions: meta.whole("gpt2.context_length", 1 << 24),
    layer_norm_epsilon: meta.real("gpt2.attention.layer_norm_epsilon", 1e-5),
    tie_word_embeddings: facts.tied,
  }),
  locate,
};
