// Which builds of the core stand in the package and start on this engine.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BuildName, KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import type { WasmFeatures } from "../../targets/devices/wasm/probe.ts";

export interface BuildState {
  readonly name: BuildName;
  readonly kernels: number;
  readonly bytes: number | null;
  /** `ready`: instantiates here. */
  readonly state: "ready" | "missing" | "unsupported" | "broken";
  /** Why it is not ready, and what to do. */
  readonly reason: string | null;
}

/** dist/core, beside the bundle this runs from. */
export const CORE = new URL("./core/", import.meta.url);

function lacking(name: BuildName, has: WasmFeatures): string | undefined {
  if (name.startsWith("relaxed") && !has.relaxed) return "no relaxed SIMD in this engine: use Node 22 or later, or node --experimental-wasm-relaxed-simd";
  if (!name.startsWith("scalar") && !has.simd) return "no SIMD in this engine: use a newer Node";
  if (name.endsWith("-threads") && !(has.threads && has.sharedMemory)) return "no shared memory in this engine: the build without threads is used";
  return undefined;
}

function stateOf(name: BuildName, has: WasmFeatures, core: URL): Omit<BuildState, "name" | "kernels"> {
  const file = new URL(`${name}.wasm`, core);
  if (!existsSync(file)) return { bytes: null, state: "missing", reason: `${fileURLToPath(file)} is not there: run npm run build, or install the package again` };
  const code = readFileSync(file);
  const lack = lacking(name, has);
  if (lack) return { bytes: code.length, state: "unsupported", reason: lack };
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: name.endsWith("-threads") });
    new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    return { bytes: code.length, state: "ready", reason: null };
  } catch (e) {
    return { bytes: code.length, state: "broken", reason: `${(e as Error).message}: run npm run build, or install the package again` };
  }
}

export function examineBuilds(has: WasmFeatures, core: URL = CORE): BuildState[] {
  return (Object.keys(KERNELS) as BuildName[]).map((name) => ({ name, kernels: KERNELS[name].length, ...stateOf(name, has, core) }));
}
