// config.json of RWKV-5 models as transformers writes it, checked.
import type { Config } from "../architecture.ts";
import { bad, real, whole } from "../fields.ts";

export interface RwkvDescription {
  readonly vocab: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Channels of a head. */
  readonly dh: number;
  /** Width of the feed-forward part. */
  readonly hidden: number;
  /** Of the LayerNorms. */
  readonly eps: number;
  /** Of the norms of heads; what the heads are divided by before is in it. */
  readonly headEps: number;
}

const MOST = { vocab: 1 << 20, width: 1 << 16, dh: 1024, layers: 512, hidden: 1 << 18 } as const;

/** Heads are divided by `head_size_divisor` and normalised with an epsilon of 1e-5, which is one of 1e-5 times its square. */
const HEAD_EPS = 1e-5;

/** What transformers calls `num_attention_heads` is the size of a head where there is no `head_size`. */
export function describe(config: Config): RwkvDescription {
  const width = whole(config, "hidden_size", MOST.width);
  const field = config.head_size === undefined ? "num_attention_heads" : "head_size";
  const dh = whole(config, field, MOST.dh, 64);
  if (width % dh) bad(field, dh, `the size of a head, a divisor of hidden_size ${width}`);
  if (whole(config, "attention_hidden_size", MOST.width, width) !== width) bad("attention_hidden_size", config.attention_hidden_size, `hidden_size ${width}`);
  if (config.tie_word_embeddings === true) bad("tie_word_embeddings", true, "false (nothing else is supported)");
  return {
    vocab: whole(config, "vocab_size", MOST.vocab),
    ...{ width, dh, heads: width / dh },
    layers: whole(config, "num_hidden_layers", MOST.layers),
    hidden: whole(config, "intermediate_size", MOST.hidden, Math.floor((width * 3.5) / 32) * 32),
    eps: real(config, "layer_norm_epsilon", 1e-5),
    headEps: HEAD_EPS * real(config, "head_size_divisor", 1) ** 2,
  };
}
