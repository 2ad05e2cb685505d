// A model of the house under a recipe, packed in memory.
import { setFlagsFromString } from "node:v8";
import { memorySource } from "../../../runtime/io/source.ts";
import { loadModel, type Model, type ModelOptions } from "../../../runtime/session/model.ts";
import type { WasmOptions } from "../../../targets/devices/wasm/device.ts";
import { probe } from "../../../targets/devices/wasm/probe.ts";
import { openDevice, packFolder } from "../../cli/model.ts";

export const MODEL = "models/tiny-swiglu";

const packs = new Map<string, Promise<Uint8Array>>();

async function pack(folder: string, recipe: string): Promise<Uint8Array> {
  const { env } = await openDevice({ threads: 1 });
  return packFolder(folder, env, recipe);
}

export async function withModel<T>(recipe: string, options: ModelOptions & WasmOptions, use: (model: Model) => Promise<T>, folder = MODEL): Promise<T> {
  const key = `${folder} ${recipe}`;
  const packed = packs.get(key) ?? pack(folder, recipe);
  packs.set(key, packed);
  const bytes = await packed;
  const { env } = await openDevice(options);
  const model = await loadModel(memorySource(bytes, recipe), env, options);
  try {
    return await use(model);
  } finally {
    model.close();
  }
}

/** Node 20 has relaxed SIMD behind a flag that can be set before anything is compiled; true if the builds can run. */
export function enableRelaxed(): boolean {
  if (!probe().relaxed && Number(process.versions.node.split(".")[0]) < 22) setFlagsFromString("--experimental-wasm-relaxed-simd");
  return probe().relaxed;
}
