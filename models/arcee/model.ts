// Arcee: a Llama decoder whose feed-forward has no gate, and ReLU² or ReLU as its activation, so that most neurons are zero.
// Paper of the activation: So et al. 2021 (Primer). Also our own tiny-relu.
import type { Architecture, Config } from "../architecture.ts";
import { buildDecoder, type DecoderDescription } from "../decoder.ts";
import { choice } from "../fields.ts";
import { ACTIVATIONS, describe as describeLlama } from "../llama/config.ts";
import { locator } from "../names.ts";
import { gguf } from "./gguf.ts";

const describe = (config: Config): DecoderDescription => ({ ...describeLlama(config), gated: false, activation: choice(config, "hidden_act", ACTIVATIONS, "relu2") });

export const architecture: Architecture = {
  name: "arcee",
  modelTypes: ["arcee"],
  build: (config, { cache }) => buildDecoder("arcee", describe(config), cache),
  locate: locator(),
  gguf,
};
