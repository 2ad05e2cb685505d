// The package's door in Node: `import { load } from "skint"`.
import type { Source } from "../../../runtime/io/source.ts";
import { type ImageModel, type ImageModelOptions, loadImageModel } from "../../../runtime/session/images/model.ts";
import { loadModel, type Model, type ModelOptions } from "../../../runtime/session/model.ts";
import { openWasm, type WasmOptions } from "../../devices/wasm/device.ts";
import { host } from "./host.ts";

export * from "../../../runtime/index.ts";
export * as fpga from "./fpga.ts";

export type LoadOptions = ModelOptions & WasmOptions;

/**
 * Loads a model.skint onto the WASM device.
 * @param location path of the file, or a source of its bytes
 * @returns the model; `close()` it to stop its threads
 * Throws SkintError: `file.*`, `format.*`, `graph.invalid`, `plan.*`, `model.golden`, `device.unavailable`, `aborted`.
 */
export async function load(location: string | Source, options: LoadOptions = {}): Promise<Model> {
  const device = await openWasm(host, options);
  const source = typeof location === "string" ? await host.open(location) : location;
  return loadModel(source, { device, sha256: host.sha256, now: host.now }, options);
}

export type LoadImagesOptions = ImageModelOptions & WasmOptions;

/**
 * Loads a model.skint of a network over images onto the WASM device, on one lane unless `threads` says otherwise.
 * @param location path of the file, or a source of its bytes
 * @returns the model; `close()` it to stop its threads
 * Throws SkintError as `load`, and `usage` for a model that reads tokens.
 */
export async function loadImages(location: string | Source, options: LoadImagesOptions = {}): Promise<ImageModel> {
  const device = await openWasm(host, { ...options, threads: options.threads ?? 1 });
  const source = typeof location === "string" ? await host.open(location) : location;
  return loadImageModel(source, { device, sha256: host.sha256, now: host.now }, options);
}
