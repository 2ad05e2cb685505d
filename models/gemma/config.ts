// config.json of Gemma 1, 2 and 3 (text), as a decoder. Norm weights are stored as w − 1; embeddings are scaled by √width.
// Reports: Gemma Team 2024 (Gemma, Gemma 2), 2025 (Gemma 3).
import type { Config } from "../architecture.ts";
import { type DecoderDescription, type LayerDescription, PLAIN, type RopeDescription } from "../decoder.ts";
import { bad, choice, flag, only, real, section, shape, whole } from "../fields.ts";
import { ACTIVATIONS } from "../llama/config.ts";
import { frequencies } from "../rope.ts";
import { windows } from "../windows.ts";

/** Every `pattern`-th layer sees all positions; the others have the window and the rope `localRope`. */
function layers(config: Config, pattern: number, localRope: number): LayerDescription[] {
  return windows(config, (layer) => (layer + 1) % pattern !== 0).map((window) => ({ window, rope: window ? localRope : 0 }));
}

function common(config: Config): Omit<DecoderDescription, "layers" | "ropes"> {
  const s = shape(config);
  only(config, "use_bidirectional_attention", false);
  const bias = flag(config, "attention_bias", false);
  return {
    ...PLAIN,
    ...s,
    norm: { kind: "rms", eps: real(config, "rms_norm_eps", 1e-6), offset: real(config, "norm_offset", 1, -1), bias: false },
    activation: choice(config, "hidden_activation", ACTIVATIONS, "gelu_pytorch_tanh"),
    tied: flag(config, "tie_word_embeddings", true),
    bias: { qkv: bias, o: bias, ffn: false },
    embedScale: Math.fround(Math.sqrt(s.width)),
    attentionScale: 1 / Math.sqrt(real(config, "query_pre_attn_scalar", s.dh)),
  };
}

/** Half-width of a soft cap, 0 = none: null, or absent where `fallback` is 0. */
function cap(config: Config, field: string, fallback: number): number {
  const v = config[field];
  return v === null || (v === undefined && !fallback) ? 0 : real(config, field, fallback);
}

/** Gemma 1 was first published with `hidden_act: "gelu"`, and meant its approximation by tanh. */
const FIRST_ACTIVATIONS = { ...ACTIVATIONS, gelu: "gelu_tanh" } as const;

function gemma1(config: Config): DecoderDescription {
  const c = common(config);
  const activation = config.hidden_activation ? c.activation : choice(config, "hidden_act", FIRST_ACTIVATIONS, "gelu_pytorch_tanh");
  return { ...c, activation, layers: layers(config, 1, 0), ropes: [{ frequencies: frequencies(config, c.dh), pairing: "half" }] };
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

/** Ropes of the global and the local layers; newer configs say them in `rope_parameters`, by kind of layer. */
function ropes(config: Config, dh: number): RopeDescription[] {
  const kinds = section(config, "rope_parameters") ?? { full_attention: section(config, "rope_scaling") ?? {}, sliding_attention: {} };
  const rope = (kind: string, theta: number): RopeDescription => {
    const scaling = section(kinds, kind) ?? bad(`rope_parameters.${kind}`, kinds[kind], "an object");
    return { frequencies: frequencies({ rope_theta: theta, rope_scaling: scaling }, dh), pairing: "half" };
  };
  return [rope("full_attention", real(config, "rope_theta", 1e6, 1)), rope("sliding_attention", real(config, "rope_local_base_freq", 10000, 1))];
}

function gemma3(config: Config): DecoderDescription {
  const c = common(config);
  return {
    ...c,
    layers: layers(config, whole(config, "sliding_window_pattern", 512, 6), 1),
    ropes: ropes(config, c.dh),
    headNorm: true,
    postNorm: true,
    logitCap: cap(config, "final_logit_softcapping", 0),
  };
}

export const DESCRIBE: Readonly<Record<string, (config: Config) => DecoderDescription>> = { gemma: gemma1, gemma2, gemma3_text: gemma3 };
