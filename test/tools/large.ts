// A made-up Llama checkpoint on disk, as large as is asked for: blocks of seeded weights written over and over.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { layoutSafetensors } from "../../runtime/formats/safetensors/writer.ts";
import { f32ArrayToF16 } from "../../runtime/num/half.ts";
import { normal } from "../support/data.ts";
import { shapesOf, TINY, type TinyShape, tinyConfig } from "../support/tiny.ts";
import { byteLevelConfig, byteLevelJson } from "../support/tokenizers.ts";

/** Bytes of weights, and of the largest tensor, as stored. */
export interface Large {
  readonly bytes: number;
  readonly largest: number;
}

export function writeLarge(folder: string, options: Partial<TinyShape>, shards: number): Large {
  const shape = { ...TINY, ...options };
  const size = shape.dtype === "F16" ? 2 : 4;
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(tinyConfig(options)));
  writeFileSync(join(folder, "tokenizer.json"), byteLevelJson());
  writeFileSync(join(folder, "tokenizer_config.json"), byteLevelConfig());
  const tensors = [...shapesOf(shape)].map(([name, dims]) => ({ name, dtype: shape.dtype, shape: dims, bytes: size * dims.reduce((a, b) => a * b, 1) }));
  const total = tensors.reduce((sum, t) => sum + t.bytes, 0);
  const block = blockOf(shape.dtype);
  const weightMap: Record<string, string> = {};
  let next = 0;
  for (let i = 0; i < shards; i++) {
    const file = shards === 1 ? "model.safetensors" : `model-${i + 1}-of-${shards}.safetensors`;
    const mine: typeof tensors = [];
    for (let bytes = 0; next < tensors.length && (i === shards - 1 || bytes < total / shards); bytes += tensors[next++].bytes) mine.push(tensors[next]);
    for (const t of mine) weightMap[t.name] = file;
    const { head } = layoutSafetensors(mine, new Map());
    const fd = openSync(join(folder, file), "w");
    writeSync(fd, head);
    let left = mine.reduce((sum, t) => sum + t.bytes, 0);
    for (; left > 0; left -= block.length) writeSync(fd, block, 0, Math.min(left, block.length));
    closeSync(fd);
  }
  if (shards > 1) writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }));
  return { bytes: total, largest: Math.max(...tensors.map((t) => t.bytes)) };
}

/** A megabyte or so of small weights. */
function blockOf(dtype: "F32" | "F16"): Uint8Array {
  const values = normal(300_007, 5, 0.03);
  if (dtype === "F32") return new Uint8Array(values.buffer);
  const halves = new Uint16Array(values.length);
  f32ArrayToF16(values, halves);
  return new Uint8Array(halves.buffer);
}
