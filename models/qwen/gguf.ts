// Qwen 2 and 3 in GGUF.
import { commonConfig, type GgufArchitecture, locateGguf } from "../gguf.ts";

export const gguf: GgufArchitecture = {
  names: ["qwen2", "qwen3"],
  config(meta, facts) {
    const name = meta.text("general.architecture");
    const config = commonConfig(meta, name, facts);
    // Every Qwen 2 has biases: a file without them is incomplete.
    return name === "qwen2" ? { ...config, model_type: name, attention_bias: true } : { ...config, model_type: name };
  },
  locate: locateGguf,
};
