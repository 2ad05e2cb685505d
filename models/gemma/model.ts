// Gemma 1, 2 and 3 (text): what differs between them is in config.ts.
import type { Architecture } from "../architecture.ts";
import { buildDecoder } from "../decoder.ts";
import { layerWeight, locator } from "../names.ts";
import { DESCRIBE } from "./config.ts";
import { gguf } from "./gguf.ts";

const first = locator();
const later = locator({ "attention.postnorm": "post_attention_layernorm", "ffn.norm": "pre_feedforward_layernorm", "ffn.postnorm": "post_feedforward_layernorm" });

export const architecture: Architecture = {
  name: "gemma",
  modelTypes: Object.keys(DESCRIBE),
  build: (config, { cache }) => buildDecoder(String(config.model_type), DESCRIBE[String(config.model_type)](config), cache),
  // Gemma 1 has no norm before the feed-forward but the one Llama calls post_attention_layernorm: the later names are tried first.
  locate: (weight) => (layerWeight(weight)?.part === "ffn.norm" ? [...later(weight), ...first(weight)] : later(weight)),
  gguf,
};
