// config.json of Mamba-2 models, as transformers writes it and as the authors' package does (d_model, ssm_cfg with the layer Mamba2), checked.
import type { Config } from "../architecture.ts";
import { bad, choice, flag, only, real, section, whole } from "../fields.ts";

export interface Mamba2Description {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Channels of a head. */
  readonly dh: number;
  /** Groups of heads that share b and c. */
  readonly groups: number;
  /** States a channel. */
  readonly states: number;
  readonly taps: number;
  /** Bounds of a step; the upper one is 0 where there is none. */
  readonly limits: readonly [number, number];
  readonly bias: { readonly conv: boolean; readonly projections: boolean };
  readonly eps: number;
  readonly tied: boolean;
}

const MOST = { vocab: 1 << 20, width: 1 << 16, heads: 4096, dh: 1024, layers: 512, states: 1024, taps: 8 } as const;

const SILU = { silu: true, swish: true } as const;

export const isOriginal = (config: Config): boolean => "d_model" in config && (config.ssm_cfg as Config | undefined)?.layer === "Mamba2";

export const describe = (config: Config): Mamba2Description => (isOriginal(config) ? original(config) : transformers(config));

/** [least, most]; a bound that is infinite, null or absent is none. */
function limitsOf(config: Config, field: string): [number, number] {
  const v = config[field] ?? [0, null];
  const [least, most] = Array.isArray(v) && v.length === 2 ? v : bad(field, v, "two numbers");
  const upper = most === null || most === Number.POSITIVE_INFINITY ? 0 : most;
  const fine = typeof least === "number" && Number.isFinite(least) && least >= 0 && typeof upper === "number" && Number.isFinite(upper) && (upper === 0 || upper > least);
  return fine ? [least, upper] : bad(field, v, "a least step of at least 0 and a greater upper one");
}

function headsOf(config: Config, inner: number, dh: number, groups: number, field: string): number {
  if (inner % dh) bad(field, config[field], `a divisor of the ${inner} channels`);
  const heads = inner / dh;
  if (heads > MOST.heads || heads % groups) bad(field, config[field], `heads of a number that ${groups} groups share, at most ${MOST.heads}`);
  return heads;
}

/** `expand` times the width. */
const innerOf = (config: Config, width: number) => Math.floor(real(config, "expand", 2) * width);

const MOST_CHANNELS = MOST.heads * MOST.dh;

function transformers(config: Config): Mamba2Description {
  const width = whole(config, "hidden_size", MOST.width);
  const dh = whole(config, "head_dim", MOST.dh, 64);
  const groups = whole(config, "n_groups", MOST.heads, 8);
  const heads = headsOf(config, whole(config, "intermediate_size", MOST_CHANNELS, innerOf(config, width)), dh, groups, "head_dim");
  if (whole(config, "num_heads", MOST.heads, heads) !== heads) bad("num_heads", config.num_heads, `${heads}, as expand and head_dim imply`);
  choice(config, "hidden_act", SILU, "silu");
  only(config, "rms_norm", true);
  return {
    ...{ width, dh, groups, heads },
    vocab: whole(config, "vocab_size", MOST.vocab),
    layers: whole(config, "num_hidden_layers", MOST.layers),
    states: whole(config, "state_size", MOST.states, 128),
    taps: whole(config, "conv_kernel", MOST.taps, 4),
    limits: limitsOf(config, "time_step_limit"),
    bias: { conv: flag(config, "use_conv_bias", true), projections: flag(config, "use_bias", false) },
    eps: real(config, "layer_norm_epsilon", 1e-5),
    tied: flag(config, "tie_word_embeddings", false),
  };
}

/** The embedding is padded to a multiple of `pad_vocab_size_multiple`. Norms over groups of channels are not supported, so there is one group. */
function original(config: Config): Mamba2Description {
  const width = whole(config, "d_model", MOST.width);
  const ssm = section(config, "ssm_cfg") as Config;
  const groups = whole(ssm, "ngroups", 1, 1);
  const dh = whole(ssm, "headdim", MOST.dh, 64);
  only(config, "rms_norm", true);
  only(ssm, "rmsnorm", true);
  only(ssm, "norm_before_gate", false);
  whole(config, "d_intermediate", 0, 0, 0);
  const attention = config.attn_layer_idx ?? [];
  if (!Array.isArray(attention) || attention.length) bad("attn_layer_idx", attention, "no layer with attention (nothing else is supported)");
  const multiple = whole(config, "pad_vocab_size_multiple", MOST.vocab, 8);
  return {
    ...{ width, dh, groups },
    heads: headsOf(ssm, innerOf(ssm, width), dh, groups, "headdim"),
    vocab: Math.ceil(whole(config, "vocab_size", MOST.vocab) / multiple) * multiple,
    layers: whole(config, "n_layer", MOST.layers),
    states: whole(ssm, "d_state", MOST.states, 128),
    taps: whole(ssm, "d_conv", MOST.taps, 4),
    limits: limitsOf(ssm, "dt_limit"),
    bias: { conv: flag(ssm, "conv_bias", true), projections: flag(ssm, "bias", false) },
    eps: real(config, "norm_epsilon", 1e-5),
    tied: flag(config, "tie_embeddings", true),
  };
}
