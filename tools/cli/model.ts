// Opens a model for a verb: a model.skint, or a checkpoint folder (packed in memory first, losslessly unless a recipe is named).
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SkintError } from "../../runtime/errors.ts";
import { memorySink, memorySource, type Source } from "../../runtime/io/source.ts";
import { DEFAULT_LIMIT, type FfnOptions } from "../../runtime/session/ffn.ts";
import { type Environment, loadModel, type Model, type ModelOptions } from "../../runtime/session/model.ts";
import type { FpgaDevice } from "../../targets/devices/fpga/device.ts";
import { buildUnder, describeBuild, fallbacks, openWasm, type WasmDevice, type WasmOptions } from "../../targets/devices/wasm/device.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { host } from "../../targets/hosts/node/host.ts";
import { compressModel } from "../compress/compress.ts";
import { isCheckpoint, openAny } from "../compress/open.ts";
import { recipeNamed } from "../compress/recipe.ts";
import type { VerbOption } from "../verb.ts";
import type { Context } from "./context.ts";
import { FFN_OPTION, roomFor } from "./ffn.ts";
import { keptLimits } from "./limits.ts";
import { openTarget } from "./target.ts";
import { findTuned } from "./tuned.ts";
import { whole } from "./values.ts";

/** The model that ships with the package, beside dist/. */
export const DEFAULT_MODEL = fileURLToPath(new URL("../models/tiny-swiglu", import.meta.url));

export const ISA_OPTION: VerbOption = {
  flags: "--isa <isa>",
  description: "build of the core",
  choices: ["auto", "scalar", "simd", "relaxed", "dot32"],
  default: "auto",
};

export const ENGINE_FLAGS_OPTION: VerbOption = {
  flags: "--engine-flags",
  description: "set V8's switches for faster cores (relaxed SIMD, revectorize), proven by a self-test of every kernel",
};

/** Options of every verb that runs a model. */
export const ENGINE_OPTIONS: readonly VerbOption[] = [
  { flags: "--threads <n>", description: "lanes to run on (default: the processors, at most 4)", parse: whole("--threads", { min: 1, max: 64 }) },
  ISA_OPTION,
  ENGINE_FLAGS_OPTION,
  { flags: "--no-tune", description: "ignore what skint bench tune found" },
  { flags: "--context <n>", description: "positions of context to make room for", parse: whole("--context", { min: 1 }) },
  FFN_OPTION,
  { flags: "--recipe <name>", description: "recipe for a folder or .gguf file (default: source, as it is stored)" },
];

export interface Opened {
  readonly model: Model;
  readonly device: WasmDevice | FpgaDevice;
  /** Build and threads are what `skint bench tune` found. */
  readonly tuned: boolean;
  readonly loadMs: number;
  /** Bytes of the file, or of the packed folder. */
  readonly bytes: number;
}

/** What ran, for answers in JSON: the build, the engine's switches it ran under, and which builds were tried before it in vain. */
export function ranOn({ device, tuned }: Pick<Opened, "device" | "tuned">) {
  return { build: buildUnder(device.build, device.flags), ...("fpga" in device ? { fpga: device.fpga } : {}), threads: device.lanes, tuned, fallbacks: fallbacks(device) };
}

export async function openDevice(options: WasmOptions): Promise<{ device: WasmDevice; env: Environment }> {
  const device = await openWasm(host, options);
  return { device, env: { device, sha256: host.sha256, now: host.now } };
}

export async function packFolder(path: string, env: Environment, recipe: string | undefined, signal?: AbortSignal): Promise<Uint8Array> {
  const checkpoint = await openAny(path);
  try {
    const sink = memorySink();
    await compressModel(checkpoint, sink, env, { recipe: recipeNamed(recipe ?? "source"), golden: "never", signal });
    return sink.bytes();
  } finally {
    await checkpoint.store.close();
  }
}

/** A model.skint as it is, a checkpoint packed in memory. */
export async function openSource(path: string, env: Environment, recipe: string | undefined, signal?: AbortSignal): Promise<Source> {
  if (!existsSync(path))
    throw new SkintError("file.missing", `there is no ${path}; give a model.skint, a .gguf file, or a folder with config.json, tokenizer.json and safetensors`, { what: path });
  if (isCheckpoint(path)) return memorySource(await packFolder(path, env, recipe, signal), path);
  if (recipe) throw new SkintError("usage", `${path} is compressed already; --recipe is for folders and .gguf files`, { what: "--recipe" });
  return openFile(path);
}

/** Opens the same model again and again; a folder is packed once. */
export async function sourceOpener(path: string, recipe: string | undefined, signal?: AbortSignal): Promise<() => Promise<Source>> {
  const { env } = await openDevice({ threads: 1 });
  if (!isCheckpoint(path)) return () => openSource(path, env, recipe, signal);
  const bytes = await packFolder(path, env, recipe, signal);
  return async () => memorySource(bytes, path);
}

/** The device that tuning found for a model, if it still opens. */
async function openTuned(source: Source, engineFlags: boolean) {
  const found = await findTuned(source, engineFlags);
  return found && openDevice({ ...found, engineFlags }).catch(() => undefined);
}

/** Loads the model a verb was pointed at, with progress. The caller closes it. */
export async function openModel(path: string, options: Readonly<Record<string, unknown>>, context: Context, more: Partial<ModelOptions> = {}): Promise<Opened> {
  const isa = options.isa as WasmOptions["isa"];
  const threads = options.threads as number | undefined;
  const engineFlags = options.engineFlags === true;
  const first = await openDevice({ isa, threads, engineFlags });
  let env = first.env;
  let device: WasmDevice | FpgaDevice = first.device;
  const progress = context.progress(`loading ${path}`);
  const start = host.now();
  try {
    const source = await openSource(path, env, options.recipe as string | undefined, context.signal);
    const elsewhere = options.target !== undefined && options.target !== "wasm";
    const asked = elsewhere || (isa !== undefined && isa !== "auto") || threads !== undefined || options.tune === false;
    const tuned = asked ? undefined : await openTuned(source, engineFlags);
    if (tuned) ({ device, env } = tuned);
    if (elsewhere) device = await openTarget(options.target as string, device, context);
    env = { ...env, device, limits: keptLimits(source, { engineFlags, build: device.build, lanes: device.lanes }) };
    const model = await loadModel(source, env, {
      context: options.context as number | undefined,
      // A line is slow, and no list goes over it.
      ...(elsewhere ? { limit: DEFAULT_LIMIT } : { core: roomFor(options.ffn as FfnOptions | undefined) }),
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
      ...more,
    });
    if (options.ffn) setFfn(model, options.ffn as FfnOptions);
    return { model, device, tuned: tuned !== undefined, loadMs: host.now() - start, bytes: source.size };
  } finally {
    progress.end();
  }
}

function setFfn(model: Model, ffn: FfnOptions): void {
  try {
    model.engine.ffn.set(ffn);
  } catch (e) {
    model.close();
    throw e;
  }
}

/** Where a model runs, in a line: "relaxed-threads, 2 lanes". */
export function placeLine({ device, tuned }: Pick<Opened, "device" | "tuned">): string {
  return `${describeBuild(device)}, ${device.lanes} lane${device.lanes > 1 ? "s" : ""}${tuned ? ", tuned" : ""}${"fpga" in device ? `, and ${device.fpga.line} (${device.fpga.hello.board})` : ""}`;
}
