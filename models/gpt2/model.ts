// GPT-2: LayerNorm with biases, learned positions, one projection for q, k and v, no gate; linears are stored as [k, n].
// Paper: Radford et al. 2019.
import type { Architecture, Config, Location } from "../architecture.ts";
import { buildDecoder, type DecoderDescription, PLAIN } from "../decoder.ts";
import { bad, choice, flag, only, real, whole } from "../fields.ts";
import { ACTIVATIONS } from "../llama/config.ts";
import { layerWeight } from "../names.ts";
import { gguf } from "./gguf.ts";

function describe(config: Config): DecoderDescription {
  const width = whole(config, "n_embd", 1 << 16);
  const heads = whole(config, "n_head", 1024);
  const dh = width / heads;
  if (!Number.isInteger(dh) || dh > 1024) bad("n_head", heads, `a divisor of n_embd, ${width}, that leaves heads of at most 1024`);
  only(config, "scale_attn_by_inverse_layer_idx", false);
  only(config, "add_cross_attention", false);
  return {
    ...PLAIN,
    vocab: whole(config, "vocab_size", 1 << 20),
    width,
    heads,
    kvheads: heads,
    dh,
    hidden: whole(config, "n_inner", 1 << 18, 4 * width),
    context: whole(config, "n_positions", 1 << 24, 1024),
    norm: { kind: "layer", eps: real(config, "layer_norm_epsilon", 1e-5), offset: 0, bias: true },
    layers: Array.from({ length: whole(config, "n_layer", 512) }, () => ({ window: 0 })),
    ropes: [],
    activation: choice(config, "activation_function", ACTIVATIONS, "gelu_new"),
    gated: false,
    tied: flag(config, "tie_word_embeddings", true),
    bias: { qkv: true, o: true, ffn: true },
    learnedPositions: true,
    attentionScale: flag(config, "scale_attn_weights", true) ? 1 / Math.sqrt(dh) : 1,
  };
}

const PARTS: Readonly<Record<string, string>> = { "attention.norm": "ln_1", "ffn.norm": "ln_2", "attention.o": "attn.c_proj", "ffn.up": "mlp.c_fc", "ffn.down": "mlp.c_proj" };
const QKV = ["attention.q", "attention.k", "attention.v"];
const TOP: Readonly<Record<string, string>> = {
  "embed.weight": "wte.weight",
  "positions.weight": "wpe.weight",
  "norm.weight": "ln_f.weight",
  "norm.bias": "ln_f.bias",
  "head.weight": "lm_head.weight",
};

function locate(weight: string): Location[] {
  const w = layerWeight(weight);
  const both = (name: string, how: Omit<Location, "name"> = {}): Location[] => [
    { name, ...how },
    { name: `transformer.${name}`, ...how },
  ];
  if (!w) return both(TOP[weight]);
  const transposed = w.kind === "weight" && !w.part.endsWith("norm");
  const index = QKV.indexOf(w.part);
  if (index >= 0) return both(`h.${w.layer}.attn.c_attn.${w.kind}`, { transposed, part: { index, of: 3 } });
  return both(`h.${w.layer}.${PARTS[w.part]}.${w.kind}`, { transposed });
}

export const architecture: Architecture = { name: "gpt2", modelTypes: ["gpt2"], build: (config, { cache }) => buildDecoder("gpt2", describe(config), cache), locate, gguf };
