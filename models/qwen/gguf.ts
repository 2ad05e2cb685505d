// Qwen 2 and 3 in GGUF.
import { commonConfig, type GgufArchitecture, locateGguf } from "../gguf.ts";

export const gguf: GgufArchitecture = {
  names: ["qwen2", "qwen3"],
  config(meta, facts) {
    const name = meta.text("general.architecture");
    return { ...commonConfig(meta, name, facts), model_type: name };
  },
  locate: locateGguf,
};
