// Models that the goals of state-space models look at: tiny-mamba under a recipe, and engines of Mamba-130M's shape with made-up weights.

import { readFileSync } from "node:fs";
import { architecture } from "../../../models/mamba/model.ts";
import { isMatrix } from "../../../runtime/graph/formats.ts";
import type { Graph, TensorDef } from "../../../runtime/graph/types.ts";
import { memorySink, memorySource } from "../../../runtime/io/source.ts";
import { createRandom } from "../../../runtime/num/random.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../../runtime/quant/scheme.ts";
import { Engine } from "../../../runtime/session/engine.ts";
import { loadModel, type Model, type ModelOptions } from "../../../runtime/session/model.ts";
import type { WasmOptions } from "../../../targets/devices/wasm/device.ts";
import { openFolder } from "../../../targets/hosts/node/files.ts";
import { openDevice } from "../../cli/model.ts";
import { openCheckpoint } from "../../compress/checkpoint.ts";
import { compressModel } from "../../compress/compress.ts";
import { applyRecipe, type Recipe, recipeNamed } from "../../compress/recipe.ts";

export const TINY_MAMBA = "models/tiny-mamba";
/** The models of the house share their texts. */
const CALIBRATION = "models/tiny-swiglu/calibration.txt";

const packs = new Map<string, Promise<Uint8Array>>();

async function pack(recipe: Recipe): Promise<Uint8Array> {
  const { env } = await openDevice({ threads: 1 });
  const checkpoint = await openCheckpoint(await openFolder(TINY_MAMBA));
  const sink = memorySink();
  await compressModel(checkpoint, sink, env, { recipe, golden: "never", calibration: { text: { name: CALIBRATION, text: readFileSync(CALIBRATION, "utf8") } } });
  await checkpoint.store.close();
  return sink.bytes();
}

/** tiny-mamba under a recipe, packed once. */
export function packed(recipe: string): Promise<Uint8Array> {
  const made = packs.get(recipe) ?? pack(recipeNamed(recipe));
  packs.set(recipe, made);
  return made;
}

export async function withTinyMamba<T>(recipe: string, options: ModelOptions & WasmOptions, use: (model: Model) => Promise<T>): Promise<T> {
  const bytes = await packed(recipe);
  const { env } = await openDevice(options);
  const model = await loadModel(memorySource(bytes, recipe), env, options);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Mamba-130M: 24 layers of width 768, 1536 channels with 16 states. */
export const MAMBA_130M = { model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, state_size: 16, conv_kernel: 4, time_step_rank: 48, vocab_size: 50280 };

/** An engine of that shape with random weights, ranges of 4. */
export async function engineOf(recipe: string, options: WasmOptions, batch = 64): Promise<Engine> {
  const graph: Graph = applyRecipe(architecture.build(MAMBA_130M, { cache: "f16" }), recipeNamed(recipe), () => "F32");
  const { env } = await openDevice(options);
  const engine = new Engine(graph, env.device, { context: 1 << 20, batch, fuse: true, score: false, taps: [] });
  for (const t of engine.weights) fill(t, engine.program.view(t.name));
  return engine;
}

/** Made-up values around 0: a prime number of them, so that rows of a matrix begin at different ones. */
const MADE = (() => {
  const random = createRandom(1);
  return Float32Array.from({ length: 65521 }, () => (random.below(2001) - 1000) / 20000);
})();

/** What a tensor's values are made of them: decay rates below 0, ranges of 4, norms around 1. */
function valuesOf(name: string): Float32Array {
  if (name.endsWith(".a.weight")) return MADE.map((v) => -1 - Math.abs(v));
  if (/\.range[a-z]*$/.test(name)) return MADE.map(() => 4);
  return name.endsWith("norm.weight") ? MADE.map((v) => 1 + v) : MADE;
}

/** `count` of the values, over and over, from the place that the `first` of a tensor has. */
function repeated(values: Float32Array, first: number, count: number): Float32Array {
  const out = new Float32Array(count);
  for (let at = 0; at < count; ) {
    const from = (first + at) % values.length;
    const piece = values.subarray(from, from + count - at);
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

function fill(t: TensorDef, place: Uint8Array): void {
  const values = valuesOf(t.name);
  const [n, k = 1] = t.shape as number[];
  if (!isMatrix(t)) {
    new Float32Array(place.buffer, place.byteOffset, n).set(repeated(values, 0, n));
    return;
  }
  const scheme = SCHEMES[t.format];
  const rows = BLOCK_ROWS * 16;
  for (let row = 0; row < n; row += rows) {
    const count = Math.min(rows, n - row);
    scheme.encode(repeated(values, row * k, count * k), count, k, place.subarray(scheme.bytes(row, k)));
  }
}
