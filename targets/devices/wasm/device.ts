// The WASM device: picks a build of the core, proves it by its self-test, and makes programs on it.
import { SkintError } from "../../../runtime/errors.ts";
import type { Device } from "../../../runtime/plan/device.ts";
import type { EngineFlags, Host } from "../../hosts/host.ts";
import { differences } from "./agreement.ts";
import { type BuildName, KERNELS } from "./catalogue.gen.ts";
import { MAX_LANES } from "./control.ts";
import { prefersDot32 } from "./dots.ts";
import { probe } from "./probe.ts";
import { WasmProgram } from "./program.ts";
import { type Build, selfTest } from "./selftest.ts";

export interface WasmOptions {
  /** `auto`: the most capable build that works here. With more than one thread its `-threads` form. */
  readonly isa?: "auto" | "scalar" | "simd" | "relaxed" | "dot32";
  /** Lanes; default: as many as the host can run at once, at most DEFAULT_LANES. */
  readonly threads?: number;
  /** Set the host's switches of the engine that make cores faster (Host.setEngineFlags), and prove every kernel under them. Default false. */
  readonly engineFlags?: boolean;
}

/** More lanes than this are not taken unasked: small models do not feed them. */
const DEFAULT_LANES = 4;
/** By what `auto` tries; `dot32` only where its dot product is the faster one. */
const ORDER = ["dot32", "relaxed", "simd", "scalar"] as const;
const RELAXED = /^(?:dot32|relaxed)/;

/** `lacking`: the engine does not know what the build needs, which is no failure. */
export interface Rejected {
  readonly build: string;
  readonly why: string;
  readonly lacking?: boolean;
}

export interface WasmDevice extends Device {
  readonly build: BuildName;
  /** Switches of the engine it was compiled under. */
  readonly flags: readonly string[];
  /** Builds that were tried first and why they were not taken. */
  readonly rejected: readonly Rejected[];
}

export async function openWasm(host: Host, options: WasmOptions = {}): Promise<WasmDevice> {
  const threads = options.threads ?? Math.min(host.parallelism, DEFAULT_LANES);
  if (!Number.isInteger(threads) || threads < 1 || threads > MAX_LANES) throw new SkintError("usage", `threads is ${threads}; give a whole number from 1 to ${MAX_LANES}`);
  const isa = options.isa ?? "auto";
  let flags = (options.engineFlags && host.setEngineFlags?.()) || NO_FLAGS;
  const { relaxed, threads: atomics, sharedMemory } = probe();
  const wanted = isa === "auto" ? ORDER.filter((name) => name !== "dot32" || (relaxed && prefersDot32(host.now))) : [isa];
  const rejected: Rejected[] = [];
  const most = atomics && sharedMemory ? threads : 1;
  if (most < threads) rejected.push({ build: "threads", why: host.whySingle ?? "this engine has no shared memory", lacking: true });
  for (const name of wanted) {
    const lanes = name === "scalar" ? 1 : most;
    const build = (lanes > 1 ? `${name}-threads` : name) as BuildName;
    let core = await tryBuild(host, build, flags);
    if ("why" in core && flags.recompiles) {
      // The engine is at fault, not the build: once more without its switches.
      rejected.push({ build: buildUnder(build, flags.names), why: core.why });
      flags.clear();
      flags = NO_FLAGS;
      core = await tryBuild(host, build, flags);
    }
    if ("why" in core) {
      rejected.push({ build, why: core.why, lacking: core.lacking });
      continue;
    }
    const kernels = KERNELS[build] as readonly string[];
    const used = { module: core.module, kernels, shared: lanes > 1 };
    const wasm = { ...used, lanes, prove: (names: ReadonlySet<string>) => proveAgain(host, buildUnder(build, flags.names), used, names) };
    return { name: "wasm", build, flags: flags.names, lanes, kernels, rejected, allocate: (map, plans) => new WasmProgram(host, wasm, map, plans) };
  }
  throw new SkintError("device.unavailable", `no build of the core runs here: ${rejected.map((r) => `${r.build}: ${r.why}`).join("; ")}; run skint doctor`);
}

const NO_FLAGS: EngineFlags = { names: [], recompiles: false, clear() {} };

/** A build and the switches it is compiled under: "simd+revectorize". */
export function buildUnder(build: string, flags: readonly string[]): string {
  return [build, ...flags].join("+");
}

/** Builds that should have run here and did not, each with the reason. */
export function fallbacks({ rejected }: Pick<WasmDevice, "rejected">): string[] {
  return rejected.filter((r) => !r.lacking).map((r) => `${r.build}: ${r.why}`);
}

/** The build that runs, and which failed before it, for lines about speed. */
export function describeBuild(device: Pick<WasmDevice, "build" | "flags" | "rejected">): string {
  const { build, flags } = device;
  const instead = fallbacks(device);
  return buildUnder(build, flags) + (instead.length ? ` (not ${instead.join("; ")})` : "");
}

/** The bytes with a section of their own: engines keep compiled code by its bytes, and must not mix what different switches gave. */
function marked(bytes: Uint8Array<ArrayBuffer>, flags: readonly string[]): Uint8Array<ArrayBuffer> {
  if (!flags.length) return bytes;
  const name = new TextEncoder().encode(flags.join());
  return new Uint8Array([...bytes, 0, name.length + 1, name.length, ...name]);
}

/** A module that may be used, or why not; `broken`: the bytes are at fault, not the engine. */
type Tried = { module: WebAssembly.Module } | { why: string; broken?: boolean; lacking?: boolean };

const tried = new WeakMap<Host, Map<string, Promise<Tried>>>();

/** Compiles a build and runs its self-test, once a process, host and set of switches. */
export function tryBuild(host: Host, build: BuildName, flags: EngineFlags = NO_FLAGS): Promise<Tried> {
  const builds = tried.get(host) ?? new Map<string, Promise<Tried>>();
  tried.set(host, builds);
  const name = buildUnder(build, flags.names);
  const result = builds.get(name) ?? compileAndTest(host, build, flags);
  builds.set(name, result);
  return result;
}

/** Tests kernels that the engine has optimised meanwhile; who fails is not used again in this process. Returns the kernels that failed. */
function proveAgain(host: Host, name: string, build: Build, kernels: ReadonlySet<string>): string[] {
  const failed = selfTest(build, kernels);
  if (failed.length) tried.get(host)?.set(name, Promise.resolve({ why: `the self-test failed in ${failed.join(", ")}, once the engine had optimised it` }));
  return failed;
}

async function compileAndTest(host: Host, build: BuildName, flags: EngineFlags): Promise<Tried> {
  const features = probe();
  if (RELAXED.test(build) && !features.relaxed) return { why: "this engine has no relaxed SIMD", lacking: true };
  if (!build.startsWith("scalar") && !features.simd) return { why: "this engine has no SIMD", lacking: true };
  // Those without threads too are made of files that have atomics (files.ts).
  if (build !== "scalar" && !features.threads) return { why: host.whySingle ?? "this engine has no atomics", lacking: true };
  try {
    const shared = build.endsWith("-threads");
    const bytes = await host.core(build);
    // Under switches at once: V8 that compiles all by its optimiser may let Node end before the promise of `compile` settles.
    const module = flags.names.length ? new WebAssembly.Module(marked(bytes, flags.names)) : await WebAssembly.compile(bytes);
    const failed = selfTest({ module, kernels: KERNELS[build], shared });
    // Switches are nobody's default: under them every kernel has to agree with the build that uses no vectors.
    if (flags.names.length && !failed.length) failed.push(...differences({ module, kernels: KERNELS[build], shared }, new WebAssembly.Module(await host.core("scalar"))));
    return failed.length ? { why: `the self-test failed in ${failed.join(", ")}` } : { module };
  } catch (e) {
    // Not built, damaged, refused by the engine, or it trapped: whatever it is, another build may do.
    return { why: e instanceof Error ? e.message : String(e), broken: true };
  }
}
