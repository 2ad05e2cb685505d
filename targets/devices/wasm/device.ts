// The WASM device: picks a build of the core, proves it by its self-test, and makes programs on it.
import { SkintError } from "../../../runtime/errors.ts";
import type { Device } from "../../../runtime/plan/device.ts";
import type { Host } from "../../hosts/host.ts";
import { type BuildName, KERNELS } from "./catalogue.gen.ts";
import { MAX_LANES } from "./control.ts";
import { prefersDot32 } from "./dots.ts";
import { probe } from "./probe.ts";
import { WasmProgram } from "./program.ts";
import { selfTest } from "./selftest.ts";

export interface WasmOptions {
  /** `auto`: the most capable build that works here. With more than one thread its `-threads` form. */
  readonly isa?: "auto" | "scalar" | "simd" | "relaxed" | "dot32";
  /** Lanes; default: as many as the host can run at once, at most DEFAULT_LANES. */
  readonly threads?: number;
}

/** More lanes than this are not taken unasked: small models do not feed them. */
const DEFAULT_LANES = 4;
/** By what `auto` tries; `dot32` only where its dot product is the faster one. */
const ORDER = ["dot32", "relaxed", "simd", "scalar"] as const;
const RELAXED = /^(?:dot32|relaxed)/;

export interface WasmDevice extends Device {
  readonly build: BuildName;
  /** Builds that were tried first and why they were not taken. */
  readonly rejected: readonly { build: string; why: string }[];
}

export async function openWasm(host: Host, options: WasmOptions = {}): Promise<WasmDevice> {
  const threads = options.threads ?? Math.min(host.parallelism, DEFAULT_LANES);
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_LANES) throw new SkintError("usage", `threads is ${threads}; give a whole number from 1 to ${MAX_LANES}`);
  const isa = options.isa ?? "auto";
  const { relaxed, threads: atomics, sharedMemory } = probe();
  const wanted = isa === "auto" ? ORDER.filter((name) => name !== "dot32" || (relaxed && prefersDot32(host.now))) : [isa];
  const rejected: { build: string; why: string }[] = [];
  const most = atomics && sharedMemory ? threads : 1;
  if (most < threads) rejected.push({ build: "threads", why: host.whySingle ?? "this engine has no shared memory" });
  for (const name of wanted) {
    const lanes = name === "scalar" ? 1 : most;
    const build = (lanes > 1 ? `${name}-threads` : name) as BuildName;
    const core = await tryBuild(host, build);
    if ("why" in core) {
      rejected.push({ build, why: core.why });
      continue;
    }
    const kernels = KERNELS[build] as readonly string[];
    const wasm = { module: core.module, kernels, shared: lanes > 1, lanes };
    return { name: "wasm", build, lanes, kernels, rejected, allocate: (map, plans) => new WasmProgram(host, wasm, map, plans) };
  }
  throw new SkintError("device.unavailable", `no build of the core runs here: ${rejected.map((r) => `${r.build}: ${r.why}`).join("; ")}; run skint doctor`);
}

/** A module that may be used, or why not; `broken`: the bytes are at fault, not the engine. */
type Tried = { module: WebAssembly.Module } | { why: string; broken?: boolean };

const tried = new WeakMap<Host, Map<string, Promise<Tried>>>();

/** Compiles a build and runs its self-test, once a process and host. */
export function tryBuild(host: Host, build: BuildName): Promise<Tried> {
  const builds = tried.get(host) ?? new Map<string, Promise<Tried>>();
  tried.set(host, builds);
  const result = builds.get(build) ?? compileAndTest(host, build);
  builds.set(build, result);
  return result;
}

async function compileAndTest(host: Host, build: BuildName): Promise<Tried> {
  const features = probe();
  if (RELAXED.test(build) && !features.relaxed) return { why: "this engine has no relaxed SIMD" };
  if (!build.startsWith("scalar") && !features.simd) return { why: "this engine has no SIMD" };
  if (build.endsWith("-threads") && !features.threads) return { why: host.whySingle ?? "this engine has no shared memory" };
  try {
    const module = await WebAssembly.compile(await host.core(build));
    const failed = selfTest(module, KERNELS[build], build.endsWith("-threads"));
    return failed.length ? { why: `the self-test failed in ${failed.join(", ")}` } : { module };
  } catch (e) {
    // Not built, damaged, refused by the engine, or it trapped: whatever it is, another build may do.
    return { why: e instanceof Error ? e.message : String(e), broken: true };
  }
}
