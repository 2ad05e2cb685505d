// Builds of the core as test subjects. Node 20 needs a V8 flag for relaxed SIMD; set here, before anything is compiled.
import { existsSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { type BuildName, KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { buildOf, fileOf } from "../../targets/devices/wasm/files.ts";

export interface Core {
  readonly memory: WebAssembly.Memory;
  readonly walk: (control: number, lane: number, forever: number) => void;
  readonly unit: (op: number, unit: number, units: number) => void;
}

export const ALL_BUILDS = Object.keys(KERNELS) as BuildName[];
export const SINGLE_BUILDS = ALL_BUILDS.filter((b) => !b.endsWith("-threads"));

const NODE_20 = Number(process.versions.node.split(".")[0]) < 22;
if (NODE_20) setFlagsFromString("--experimental-wasm-relaxed-simd");

const modules = new Map<string, WebAssembly.Module>();

export function coreModule(build: BuildName): WebAssembly.Module {
  const path = `dist/core/${fileOf(build)}.wasm`;
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build first`);
  const module = modules.get(build) ?? compile(build, buildOf(build, new Uint8Array(readFileSync(path))));
  modules.set(build, module);
  return module;
}

/** The baseline compiler of Node 20 miscomputes the dot product into i32: such builds are for its other one. */
function compile(build: BuildName, bytes: BufferSource): WebAssembly.Module {
  const optimised = NODE_20 && build.startsWith("dot32");
  if (optimised) for (const flag of ["--no-liftoff", "--no-wasm-lazy-compilation"]) setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    if (optimised) for (const flag of ["--liftoff", "--wasm-lazy-compilation"]) setFlagsFromString(flag);
  }
}

/** Single-lane instance on a memory of its own of `pages` 64 KiB pages. */
export function instantiate(build: BuildName, pages: number): Core {
  const shared = build.endsWith("-threads");
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared });
  const instance = new WebAssembly.Instance(coreModule(build), { env: { memory } });
  return { memory, ...(instance.exports as object) } as Core;
}
