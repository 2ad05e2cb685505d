// Qwen 2 and 2.5 (biases on q, k, v) and Qwen 3 (no biases, queries and keys normalised by head). Otherwise Llama, with a window in the later
// layers if `use_sliding_window` says so.
// Reports: Qwen Team 2024 (Qwen2), 2025 (Qwen3).
import type { Architecture, Config } from "../architecture.ts";
import { buildDecoder, type DecoderDescription } from "../decoder.ts";
import { flag, whole } from "../fields.ts";
import { describe as describeLlama } from "../llama/config.ts";
import { locator } from "../names.ts";
import { gguf } from "./gguf.ts";

function describe(config: Config): DecoderDescription {
  const windowed = flag(config, "use_sliding_window", false) && config.sliding_window !== null;
  const first = whole(config, "max_window_layers", 512, 28, 0);
  const llama = describeLlama(config, (layer) => windowed && layer >= first);
  if (config.model_type === "qwen3") return { ...llama, headNorm: true };
  return { ...llama, bias: { ...llama.bias, qkv: flag(config, "attention_bias", true), o: false } };
}

export const architecture: Architecture = {
  name: "qwen",
  modelTypes: ["qwen2", "qwen3"],
  build: (config, { cache }) => buildDecoder(String(config.model_type), describe(config), cache),
  locate: locator(),
  gguf,
};
