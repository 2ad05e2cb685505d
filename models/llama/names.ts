// Where Llama checkpoints (Hugging Face names) keep the weights of the graph.

const PARTS: Readonly<Record<string, string>> = {
  "attention.norm": "input_layernorm",
  "attention.q": "self_attn.q_proj",
  "attention.k": "self_attn.k_proj",
  "attention.v": "self_attn.v_proj",
  "attention.o": "self_attn.o_proj",
  "ffn.norm": "post_attention_layernorm",
  "ffn.gate": "mlp.gate_proj",
  "ffn.up": "mlp.up_proj",
  "ffn.down": "mlp.down_proj",
};

const TOP: Readonly<Record<string, string>> = { "embed.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight", "head.weight": "lm_head.weight" };

/** `layers.3.attention.q.weight` → `model.layers.3.self_attn.q_proj.weight`; also without the leading `model.`. */
export function checkpointNames(weight: string): string[] {
  const m = /^layers\.(\d+)\.(.+)\.(weight|bias)$/.exec(weight);
  const name = m ? `model.layers.${m[1]}.${PARTS[m[2]]}.${m[3]}` : TOP[weight];
  return [name, name.replace(/^model\./, "")];
}
