// config.json of the Llama family, checked, as a decoder.
import type { Activation } from "../../runtime/ops/activate/op.ts";
import type { Config } from "../architecture.ts";
import { type DecoderDescription, PLAIN } from "../decoder.ts";
import { choice, flag, real, shape } from "../fields.ts";
import { frequencies } from "../rope.ts";
import { windows } from "../windows.ts";

export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_pytorch_tanh: "gelu_tanh",
  gelu_new: "gelu_tanh",
  relu: "relu",
  relu2: "relu2",
};

/** An extension of GGUF files (models/gguf.ts). */
const PAIRINGS = { half: "half", interleaved: "interleaved" } as const;

/** `local` says which layers have the window, where the config does not: in Mistral all, if there is one. */
export function describe(config: Config, local: (layer: number) => boolean = () => config.model_type === "mistral" && config.sliding_window !== null): DecoderDescription {
  const s = shape(config);
  const bias = flag(config, "attention_bias", false);
  return {
    ...PLAIN,
    ...s,
    norm: { kind: "rms", eps: real(config, "rms_norm_eps", 1e-6), offset: 0, bias: false },
    layers: windows(config, local).map((window) => ({ window, rope: 0 })),
    ropes: [{ frequencies: frequencies(config, s.dh), pairing: choice(config, "rope_pairing", PAIRINGS, "half") }],
    activation: choice(config, "hidden_act", ACTIVATIONS, "silu"),
    tied: flag(config, "tie_word_embeddings", false),
    bias: { qkv: bias, o: bias, ffn: flag(config, "mlp_bias", false) },
    attentionScale: 1 / Math.sqrt(s.dh),
  };
}
