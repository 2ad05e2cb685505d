// Arcee in GGUF: the activation is always ReLU². As in Llama files, q and k are stored permuted.
import { commonConfig, type GgufArchitecture, locateGguf } from "../gguf.ts";

export const gguf: GgufArchitecture = {
  names: ["arcee"],
  config: (meta, facts) => ({ ...commonConfig(meta, "arcee", facts), model_type: "arcee", hidden_act: "relu2", rope_pairing: "interleaved" }),
  locate: locateGguf,
};
