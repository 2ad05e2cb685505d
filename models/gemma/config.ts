// config.json of Gemma 1, 2 and 3 (text), as a decoder. Norm weights are stored as w − 1; embeddings are scaled by √width.
// Reports: Gemma Team 2024 (Gemma, Gemma 2), 2025 (Gemma 3).
import { pow } from "../../runtime/num/det.ts";
import type { Config } from "../architecture.ts";
import { type DecoderDescription, type LayerDescription, PLAIN } from "../decoder.ts";
import { choice, flag, real, shape, texts, whole } from "../fields.ts";
import { ACTIVATIONS } from "../llama/config.ts";
import { frequencies } from "../rope.ts";

/** Every `pattern`-th layer sees all positions, the others a window; configs may list the kinds instead. */
function layers(config: Config, pattern: number, localRope: number): LayerDescription[] {
  const n = whole(config, "num_hidden_layers", 512);
  const kinds = texts(config, "layer_types");
  const window = pattern > 1 ? whole(config, "sliding_window", 1 << 24, 4096) : 0;
  return Array.from({ length: n }, (_, i) => {
    const local = kinds ? kinds[i] === "sliding_attention" : pattern > 1 && (i + 1) % pattern !== 0;
    return local ? { window, rope: localRope } : { window: 0, rope: 0 };
  });
}

function common(config: Config): Omit<DecoderDescription, "layers" | "ropes"> {
  const s = shape(config);
  return {
    ...PLAIN,
    ...s,
    norm: { kind: "rms", eps: real(config, "rms_norm_eps", 1e-6), offset: real(config, "norm_offset", 1, -1), bias: false },
    activation: choice(config, "hidden_activation", ACTIVATIONS, "gelu_pytorch_tanh"),
    tied: flag(config, "tie_word_embeddings", true),
    embedScale: Math.fround(Math.sqrt(s.width)),
    attentionScale: 1 / Math.sqrt(real(config, "query_pre_attn_scalar", s.dh)),
  };
}

const cap = (config: Config, field: string, fallback: number) => (config[field] === null ? 0 : real(config, field, fallback));

function gemma1(config: Config): DecoderDescription {
  const c = common(config);
  return { ...c, layers: layers(config, 1, 0), ropes: [{ frequencies: frequencies(config, c.dh), pairing: "half" }] };
}

function gemma2(config: Config): DecoderDescription {
  const c = common(config);
  return {
    ...c,
    layers: layers(config, 2, 0),
    ropes: [{ frequencies: frequencies(config, c.dh), pairing: "half" }],
    postNorm: true,
    attentionCap: cap(config, "attn_logit_softcapping", 50),
    logitCap: cap(config, "final_logit_softcapping", 30),
  };
}

function gemma3(config: Config): DecoderDescription {
  const c = common(config);
  const base = real(config, "rope_local_base_freq", 10000);
  const local = Array.from({ length: c.dh / 2 }, (_, i) => 1 / pow(base, (2 * i) / c.dh));
  const global = frequencies({ rope_theta: 1e6, ...config }, c.dh);
  return {
    ...c,
    layers: layers(config, whole(config, "sliding_window_pattern", 512, 6), 1),
    ropes: [
      { frequencies: global, pairing: "half" },
      { frequencies: local, pairing: "half" },
    ],
    headNorm: true,
    postNorm: true,
  };
}

export const DESCRIBE: Readonly<Record<string, (config: Config) => DecoderDescription>> = { gemma: gemma1, gemma2, gemma3_text: gemma3 };
