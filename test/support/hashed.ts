// Checkpoints whose weights are hashes of their names, so that a golden needs to store none: test/models/oracle.py makes the same ones.
import type { Folder } from "../../runtime/io/source.ts";
import { memoryFolder } from "./memory.ts";
import { safetensorsOf, type Weight } from "./tiny.ts";
import { byteLevelConfig, byteLevelJson } from "./tokenizers.ts";

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Uniform in [-1, 1), then: tables as they are, other matrices a quarter, vectors a half; norms lie around 1, but Gemma's around 0. */
export function hashed(name: string, shape: readonly number[], gemma: boolean): Float32Array {
  const seed = new TextEncoder().encode(name).reduce((h, byte) => Math.imul(h ^ byte, 16777619), 2166136261);
  const unit = (i: number) => {
    let h = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    return (h >>> 8) / 2 ** 23 - 1;
  };
  const [factor, around] = shape.length > 1 ? [/embed_tokens|wte|wpe/.test(name) ? 1 : 1 / 4, 0] : [1 / 2, name.endsWith("weight") && !gemma ? 1 : 0];
  const n = shape.reduce((a, b) => a * b, 1);
  return Float32Array.from({ length: n }, (_, i) => around + factor * unit(i));
}

/** A checkpoint folder of the given config and hashed weights. `rename` changes names in the file only, `change` weights. */
export async function hashedFolder(
  config: Readonly<Record<string, unknown>>,
  shapes: Shapes,
  rename: (name: string) => string = (name) => name,
  change: (name: string, values: Float32Array) => Float32Array = (_, values) => values,
): Promise<Folder> {
  const gemma = String(config.model_type).startsWith("gemma");
  const weights = new Map<string, Weight>(Object.entries(shapes).map(([name, shape]) => [rename(name), { shape, values: change(name, hashed(name, shape, gemma)) }]));
  const text = (value: string) => new TextEncoder().encode(value);
  return memoryFolder(
    new Map([
      ["config.json", text(JSON.stringify(config))],
      ["tokenizer.json", text(byteLevelJson())],
      ["tokenizer_config.json", text(byteLevelConfig())],
      ["model.safetensors", await safetensorsOf(weights, "F32")],
    ]),
    "hashed",
  );
}
