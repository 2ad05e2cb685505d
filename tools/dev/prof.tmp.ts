// SmolLM2-135M-shaped random model: bench decode/prefill.

import { memorySink, memorySource } from "../../runtime/io/source.ts";
import { loadModel } from "../../runtime/session/model.ts";
import { median } from "../../runtime/stats/quantile.ts";
import { measure } from "../bench/measure.ts";
import { openDevice } from "../cli/model.ts";
import { architectureOf } from "../compress/checkpoint.ts";
import { compressModel } from "../compress/compress.ts";
import { recipeNamed } from "../compress/recipe.ts";
import { enableRelaxed } from "../goals/slice/model.ts";

enableRelaxed();
const config = {
  model_type: "llama",
  hidden_size: 576,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  vocab_size: 49152,
  max_position_embeddings: 2048,
  tie_word_embeddings: true,
};
const architecture = architectureOf(config);
const weights = architecture.build(config, { cache: "f16" }).tensors.filter((t) => t.role === "weight");
const tensors = new Map(
  weights.map((t) => {
    const name = architecture.checkpointNames(t.name)[0];
    const shape = t.shape as number[];
    return [name, { name, dtype: "F32", shape, bytes: 4 * shape.reduce((p, d) => p * d, 1) }] as const;
  }),
);
const store = {
  name: "m",
  tensors,
  async readBytes() {},
  async readF32(_n: string, row: number, rows: number, out: Float32Array) {
    for (let i = 0; i < out.length; i++) out[i] = (((i * 31 + row * 7 + rows) % 255) - 127) / 4096;
  },
  async close() {},
};
const rec = { ...recipeNamed("w4"), rules: [{ match: ".*", scheme: "q4g32" }] };
const sink = memorySink();
const { env } = await openDevice({ threads: 1 });
let t = performance.now();
await compressModel({ name: "m", architecture, config, store, card: {}, tokenizer: "" }, sink, env, { recipe: rec, golden: "never" });
console.log("compress", performance.now() - t);
for (const isa of ["relaxed", "simd"] as const)
  for (const threads of [1, 2]) {
    const d = await openDevice({ isa, threads });
    t = performance.now();
    const model = await loadModel(memorySource(sink.bytes()), d.env, { golden: false });
    const lt = performance.now() - t;
    const r = await measure(model.engine, () => performance.now(), { promptTokens: 128, decodeTokens: 40, rounds: 3 });
    console.log(
      isa,
      threads,
      "load",
      lt.toFixed(0),
      "prefill tok/s",
      (128000 / median(r.prefillMs)).toFixed(0),
      "decode tok/s",
      (1000 / median(r.decodeMs)).toFixed(0),
      model.engine.program.meter(),
    );
    model.close();
  }
