// A tiny Llama checkpoint with seeded random weights, as files in memory, so that engines are tested without a trained model.
// Its tokenizer is byte-level: 0 opens a text, 1 ends it, 2 … 257 are the bytes (support/tokenizers.ts).
import { createSafetensors, layoutSafetensors } from "../../runtime/formats/safetensors/writer.ts";
import { type Folder, memorySource } from "../../runtime/io/source.ts";
import { f16ToF32, f32ToF16 } from "../../runtime/num/half.ts";
import { DEFAULT_LIMIT } from "../../runtime/session/ffn.ts";
import { type Environment, loadModel, type Model, type ModelOptions } from "../../runtime/session/model.ts";
import { openWasm, type WasmOptions } from "../../targets/devices/wasm/device.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { openCheckpoint } from "../../tools/compress/checkpoint.ts";
import { type CompressReport, compressModel } from "../../tools/compress/compress.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import "./core.ts"; // lets Node 20 have relaxed SIMD
import { normal } from "./data.ts";
import { memoryFolder, memorySink } from "./memory.ts";
import { byteLevelConfig, byteLevelJson } from "./tokenizers.ts";

export interface TinyShape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvheads: number;
  readonly dh: number;
  /** Not a multiple of 64, so that packed rows end in padding. */
  readonly hidden: number;
  readonly vocab: number;
  readonly context: number;
  readonly activation: string;
  readonly tied: boolean;
  readonly bias: boolean;
  readonly dtype: "F32" | "F16";
  readonly seed: number;
}

export const TINY: TinyShape = {
  width: 64,
  layers: 2,
  heads: 4,
  kvheads: 2,
  dh: 16,
  hidden: 96,
  vocab: 300,
  context: 160,
  activation: "silu",
  tied: true,
  bias: false,
  dtype: "F32",
  seed: 1,
};

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Tiny {
  readonly shape: TinyShape;
  readonly config: Readonly<Record<string, unknown>>;
  /** By their names in the checkpoint. */
  readonly weights: ReadonlyMap<string, Weight>;
  readonly files: Map<string, Uint8Array>;
  readonly folder: Folder;
}

/** config.json of a tiny checkpoint. */
export function tinyConfig(options: Partial<TinyShape> = {}): Record<string, unknown> {
  const s = { ...TINY, ...options };
  return {
    model_type: "llama",
    hidden_size: s.width,
    num_hidden_layers: s.layers,
    num_attention_heads: s.heads,
    num_key_value_heads: s.kvheads,
    head_dim: s.dh,
    intermediate_size: s.hidden,
    vocab_size: s.vocab,
    max_position_embeddings: s.context,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: s.activation,
    tie_word_embeddings: s.tied,
    attention_bias: s.bias,
  };
}

/** Names and shapes of a Llama checkpoint, in file order. */
export function shapesOf(s: TinyShape): Map<string, number[]> {
  const shapes = new Map<string, number[]>([["model.embed_tokens.weight", [s.vocab, s.width]]]);
  const [q, kv] = [s.heads * s.dh, s.kvheads * s.dh];
  for (let i = 0; i < s.layers; i++) {
    const linear = (name: string, n: number, k: number, bias: boolean) => {
      shapes.set(`model.layers.${i}.${name}.weight`, [n, k]);
      if (bias) shapes.set(`model.layers.${i}.${name}.bias`, [n]);
    };
    shapes.set(`model.layers.${i}.input_layernorm.weight`, [s.width]);
    linear("self_attn.q_proj", q, s.width, s.bias);
    linear("self_attn.k_proj", kv, s.width, s.bias);
    linear("self_attn.v_proj", kv, s.width, s.bias);
    linear("self_attn.o_proj", s.width, q, s.bias);
    shapes.set(`model.layers.${i}.post_attention_layernorm.weight`, [s.width]);
    linear("mlp.gate_proj", s.hidden, s.width, false);
    linear("mlp.up_proj", s.hidden, s.width, false);
    linear("mlp.down_proj", s.width, s.hidden, false);
  }
  shapes.set("model.norm.weight", [s.width]);
  if (!s.tied) shapes.set("lm_head.weight", [s.vocab, s.width]);
  return shapes;
}

/** Weights that keep activations near 1: norms around 1, matrices with variance 1/k, rounded to the checkpoint's type. */
function valuesOf(shape: readonly number[], seed: number, dtype: string): Float32Array {
  const norm = shape.length === 1;
  const v = normal(
    shape.reduce((a, b) => a * b, 1),
    seed,
    norm ? 0.2 : 1.5 / Math.sqrt(shape[1]),
  );
  if (norm) for (let i = 0; i < v.length; i++) v[i] += 1;
  return dtype === "F16" ? v.map((x) => f16ToF32(f32ToF16(x))) : v;
}

/** A safetensors file of the given weights. */
export async function safetensorsOf(weights: ReadonlyMap<string, Weight>, dtype: "F32" | "F16"): Promise<Uint8Array> {
  const declared = [...weights].map(([name, { shape }]) => ({ name, dtype, shape }));
  const sink = memorySink();
  const file = await createSafetensors(sink, layoutSafetensors(declared, new Map([["format", "pt"]])));
  for (const [name, { values }] of weights) {
    const stored = dtype === "F16" ? Uint16Array.from(values, f32ToF16) : values;
    await file.write(name, new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
  }
  await file.finish();
  return sink.bytes() as Uint8Array;
}

export async function tinyCheckpoint(options: Partial<TinyShape> = {}): Promise<Tiny> {
  const shape = { ...TINY, ...options };
  const weights = new Map<string, Weight>();
  for (const [name, dims] of shapesOf(shape)) weights.set(name, { shape: dims, values: valuesOf(dims, 1000 * shape.seed + weights.size, shape.dtype) });
  const text = (value: string) => new TextEncoder().encode(value);
  const config = tinyConfig(shape);
  const files = new Map([
    ["config.json", text(JSON.stringify(config))],
    ["tokenizer.json", text(byteLevelJson())],
    ["tokenizer_config.json", text(byteLevelConfig())],
    ["model.safetensors", await safetensorsOf(weights, shape.dtype)],
  ]);
  return { shape, config, weights, files, folder: memoryFolder(files, "tiny") };
}

export type Golden = "auto" | "never";

export async function environment(options: WasmOptions = { threads: 1 }): Promise<Environment> {
  return { device: await openWasm(host, options), sha256, now: () => performance.now() };
}

/** The checkpoint as the bytes of a model.skint. */
export async function pack(tiny: Tiny, recipe: string, golden: Golden = "never"): Promise<{ bytes: Uint8Array; report: CompressReport }> {
  return packFolder(tiny.folder, recipe, golden);
}

export async function packFolder(folder: Folder, recipe: string, golden: Golden = "never"): Promise<{ bytes: Uint8Array; report: CompressReport }> {
  const checkpoint = await openCheckpoint(folder);
  const sink = memorySink();
  const report = await compressModel(checkpoint, sink, await environment(), { recipe: recipeNamed(recipe), golden });
  await checkpoint.store.close();
  return { bytes: sink.bytes() as Uint8Array, report };
}

/** Loads the bytes of a model.skint, without measuring how long lists may be; close the model. */
export async function open(bytes: Uint8Array, options: ModelOptions & WasmOptions = {}): Promise<Model> {
  return loadModel(memorySource(bytes, "tiny.skint"), await environment({ isa: options.isa, threads: options.threads ?? 1 }), { limit: DEFAULT_LIMIT, ...options });
}

/** Seeded token ids. */
export function tokensOf(length: number, vocab: number, seed = 7): Uint32Array {
  return Uint32Array.from(normal(length, seed), (v) => Math.floor(Math.abs(v) * 7919) % vocab);
}
