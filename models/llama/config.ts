// config.json of the Llama family, checked.
import { SkintError } from "../../runtime/errors.ts";
import type { Activation } from "../../runtime/ops/activate/op.ts";
import type { Config } from "../architecture.ts";
import { choice, flag, real, whole } from "../fields.ts";
import { frequencies } from "../rope.ts";

export interface LlamaConfig {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  readonly hidden: number;
  readonly context: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly tied: boolean;
  readonly bias: boolean;
  /** Rotary inverse frequencies [dh / 2]. */
  readonly frequencies: readonly number[];
}

const ACTIVATION: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_new: "gelu_tanh",
  relu: "relu",
  relu2: "relu2",
};

export function parseConfig(config: Config): LlamaConfig {
  const width = whole(config, "hidden_size", 1 << 16);
  const heads = whole(config, "num_attention_heads", 1024);
  const kvheads = whole(config, "num_key_value_heads", 1024, heads);
  const dh = whole(config, "head_dim", 1024, width / heads);
  if (heads % kvheads)
    throw new SkintError("model.config", `config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvheads}`, { what: "num_key_value_heads" });
  if (dh % 2) throw new SkintError("model.config", `config.json: head_dim ${dh} is odd; rotary embeddings need pairs`, { what: "head_dim" });
  return {
    vocab: whole(config, "vocab_size", 1 << 20),
    width,
    layers: whole(config, "num_hidden_layers", 512),
    heads,
    kvheads,
    dh,
    hidden: whole(config, "intermediate_size", 1 << 18),
    context: whole(config, "max_position_embeddings", 1 << 24, 2048),
    eps: real(config, "rms_norm_eps", 1e-6),
    activation: choice(config, "hidden_act", ACTIVATION, "silu"),
    tied: flag(config, "tie_word_embeddings", false),
    bias: flag(config, "attention_bias", false),
    frequencies: frequencies(config, dh),
  };
}
