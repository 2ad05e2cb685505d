// config.json of Mamba models, as transformers writes it and as the authors' package does (d_model, n_layer, ssm_cfg), checked.
import type { Config } from "../architecture.ts";
import { bad, choice, flag, only, real, section, whole } from "../fields.ts";

export interface MambaDescription {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  /** Channels of a mixer. */
  readonly inner: number;
  /** States a channel. */
  readonly states: number;
  /** Width of what the steps are projected from. */
  readonly rank: number;
  /** Taps of the convolution. */
  readonly taps: number;
  readonly bias: { readonly conv: boolean; readonly projections: boolean };
  readonly eps: number;
  readonly tied: boolean;
}

const MOST = { vocab: 1 << 20, width: 1 << 16, inner: 1 << 18, layers: 512, states: 1024, taps: 8 } as const;

const SILU = { silu: true, swish: true } as const;

/** Models of the authors' package have this instead of `hidden_size`, and no `model_type`. */
export const isOriginal = (config: Config): boolean => "d_model" in config && "ssm_cfg" in config && (config.ssm_cfg as Config | null)?.layer !== "Mamba2";

export const describe = (config: Config): MambaDescription => (isOriginal(config) ? original(config) : transformers(config));

/** A rank that is given, or "auto": a sixteenth of the width, rounded up. */
function rankOf(config: Config, field: string, width: number): number {
  const auto = Math.ceil(width / 16);
  return (config[field] ?? "auto") === "auto" ? auto : whole(config, field, MOST.width);
}

/** `expand` times the width, rounded down. */
function innerOf(config: Config, width: number): number {
  const inner = Math.floor(real(config, "expand", 2) * width);
  if (inner < 1 || inner > MOST.inner) bad("expand", config.expand, `a number that makes 1 to ${MOST.inner} channels of a width of ${width}`);
  return inner;
}

function transformers(config: Config): MambaDescription {
  const width = whole(config, "hidden_size", MOST.width);
  choice(config, "hidden_act", SILU, "silu");
  return {
    vocab: whole(config, "vocab_size", MOST.vocab),
    width,
    layers: whole(config, "num_hidden_layers", MOST.layers),
    inner: whole(config, "intermediate_size", MOST.inner, innerOf(config, width)),
    states: whole(config, "state_size", MOST.states, 16),
    rank: rankOf(config, "time_step_rank", width),
    taps: whole(config, "conv_kernel", MOST.taps, 4),
    bias: { conv: flag(config, "use_conv_bias", true), projections: flag(config, "use_bias", false) },
    eps: real(config, "layer_norm_epsilon", 1e-5),
    tied: flag(config, "tie_word_embeddings", true),
  };
}

/** The embedding is padded to a multiple of `pad_vocab_size_multiple`. */
function original(config: Config): MambaDescription {
  const width = whole(config, "d_model", MOST.width);
  const ssm = section(config, "ssm_cfg") ?? {};
  choice(ssm, "layer", { Mamba1: true }, "Mamba1");
  only(config, "rms_norm", true);
  whole(config, "d_intermediate", 0, 0, 0);
  const attention = config.attn_layer_idx ?? [];
  if (!Array.isArray(attention) || attention.length) bad("attn_layer_idx", attention, "no layer with attention (nothing else is supported)");
  const multiple = whole(config, "pad_vocab_size_multiple", MOST.vocab, 8);
  return {
    vocab: Math.ceil(whole(config, "vocab_size", MOST.vocab) / multiple) * multiple,
    width,
    layers: whole(config, "n_layer", MOST.layers),
    inner: innerOf(ssm, width),
    states: whole(ssm, "d_state", MOST.states, 16),
    rank: rankOf(ssm, "dt_rank", width),
    taps: whole(ssm, "d_conv", MOST.taps, 4),
    bias: { conv: flag(ssm, "conv_bias", true), projections: flag(ssm, "bias", false) },
    eps: real(config, "norm_epsilon", 1e-5),
    tied: flag(config, "tie_embeddings", true),
  };
}
