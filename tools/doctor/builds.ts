// Which builds of the core stand in the package and pass their self-test on this engine.
import { SkintError } from "../../runtime/errors.ts";
import { type BuildName, KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { tryBuild } from "../../targets/devices/wasm/device.ts";
import type { Host } from "../../targets/hosts/host.ts";

export interface BuildState {
  readonly name: BuildName;
  readonly kernels: number;
  readonly bytes: number | null;
  /** `ready`: its self-test passed here. `refused`: the engine or the self-test says no. */
  readonly state: "ready" | "missing" | "refused" | "broken";
  /** Why it is not ready, and what to do. */
  readonly reason: string | null;
}

const REPAIR = "run npm run build, or install the package again";

function advice(name: BuildName, why: string): string {
  if (!why.includes("engine")) return "please report it";
  if (why.includes("relaxed")) return "use Node 22 or later, or node --experimental-wasm-relaxed-simd";
  return why.includes("memory") || name.endsWith("-threads") ? "the build without threads is used" : "use a newer Node";
}

async function stateOf(host: Host, name: BuildName): Promise<Omit<BuildState, "name" | "kernels">> {
  let bytes: number | null = null;
  try {
    bytes = (await host.core(name)).length;
    const tried = await tryBuild(host, name);
    if ("why" in tried && tried.broken) return { bytes, state: "broken", reason: `${tried.why}: ${REPAIR}` };
    if ("why" in tried) return { bytes, state: "refused", reason: `${tried.why}: ${advice(name, tried.why)}` };
    return { bytes, state: "ready", reason: null };
  } catch (e) {
    if (e instanceof SkintError) return { bytes, state: "missing", reason: e.message };
    return { bytes, state: "broken", reason: `${(e as Error).message}: ${REPAIR}` };
  }
}

export async function examineBuilds(host: Host): Promise<BuildState[]> {
  const states: BuildState[] = [];
  for (const name of Object.keys(KERNELS) as BuildName[]) states.push({ name, kernels: KERNELS[name].length, ...(await stateOf(host, name)) });
  return states;
}
