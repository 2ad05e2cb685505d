// Llama family in GGUF. llama.cpp stores q and k permuted, so that rotary pairs are neighbours.
import { commonConfig, type GgufArchitecture, locateGguf } from "../gguf.ts";

export const gguf: GgufArchitecture = {
  names: ["llama"],
  config: (meta, facts) => ({ ...commonConfig(meta, "llama", facts), model_type: "llama", rope_pairing: "interleaved" }),
  locate: locateGguf,
};
