// A made-up checkpoint of any shape, cheap values: for figures of speed, which do not depend on them.
import { architectureOf, type Checkpoint } from "../compress/checkpoint.ts";

/** @param config config.json of the checkpoint */
export function madeUp(config: Readonly<Record<string, unknown>>): Checkpoint {
  const architecture = architectureOf(config);
  const weights = architecture.build(config, { cache: "f16" }).tensors.filter((t) => t.role === "weight");
  const tensors = new Map(
    weights.map((t) => {
      const name = architecture.locate(t.name)[0].name;
      const shape = t.shape as number[];
      return [name, { name, dtype: "F32", shape, bytes: 4 * shape.reduce((p, d) => p * d, 1) }] as const;
    }),
  );
  const store = {
    name: "made up",
    tensors,
    async readBytes() {},
    async readF32(_name: string, row: number, rows: number, out: Float32Array) {
      for (let i = 0; i < out.length; i++) out[i] = (((i * 31 + row * 7 + rows) % 255) - 127) / 4096;
    },
    async close() {},
  };
  return { name: "made up", architecture, locate: architecture.locate, config, store, card: {}, tokenizer: "" };
}
