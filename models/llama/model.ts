// The Llama family: pre-norm decoder, rotary grouped-query attention, gated feed-forward, RMSNorm. Also Mistral and SmolLM2.
// Papers: Touvron et al. 2023 (LLaMA, Llama 2); grouped queries: Ainslie et al. 2023.
import type { Architecture } from "../architecture.ts";
import { buildDecoder } from "../decoder.ts";
import { locator } from "../names.ts";
import { describe } from "./config.ts";
import { gguf } from "./gguf.ts";

export const architecture: Architecture = {
  name: "llama",
  modelTypes: ["llama", "mistral"],
  build: (config, { cache }) => buildDecoder("llama", describe(config), cache),
  locate: locator(),
  gguf,
};
