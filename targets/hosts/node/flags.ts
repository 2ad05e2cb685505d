// Switches of V8 that make cores faster and are off by default: set only when asked for, before a core is compiled.
//   relaxed-simd  Node 20: relaxed SIMD, which later versions have anyway
//   revectorize   Node 22 and later, x64: pairs of 128-bit operations become 256-bit ones
// The optimising compiler is told to compile all at once, so that what the self-test proves is what runs later.
import { setFlagsFromString } from "node:v8";
import { probe } from "../../devices/wasm/probe.ts";
import type { EngineFlags } from "../host.ts";

const V8_MAJOR = Number(process.versions.v8.split(".")[0]);
/** V8 12 has relaxed SIMD without a switch and knows the other one. */
const V8_REVECTORIZES = 12;
const WHOLE = ["--no-liftoff", "--no-wasm-lazy-compilation", "--no-wasm-dynamic-tiering"];
const PIECEMEAL = ["--liftoff", "--wasm-lazy-compilation", "--wasm-dynamic-tiering"];

function set(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}

/** What this engine can be switched to. An unknown switch is never tried: V8 would write about it to standard error. */
function known(): { name: string; on: string; off: string; recompiles: boolean } | undefined {
  if (V8_MAJOR >= V8_REVECTORIZES) {
    if (process.arch !== "x64") return undefined;
    return { name: "revectorize", on: "--experimental-wasm-revectorize", off: "--no-experimental-wasm-revectorize", recompiles: true };
  }
  if (probe().relaxed) return undefined;
  return { name: "relaxed-simd", on: "--experimental-wasm-relaxed-simd", off: "--no-experimental-wasm-relaxed-simd", recompiles: false };
}

let current: EngineFlags | undefined;

/** Sets what this engine knows, once; `clear` takes it back. */
export function setEngineFlags(): EngineFlags {
  if (current) return current;
  const flag = known();
  if (!flag) return { names: [], recompiles: false, clear() {} };
  const clear = () => {
    set([flag.off, ...PIECEMEAL]);
    current = undefined;
  };
  set([flag.on, ...WHOLE]);
  current = { names: [flag.name], recompiles: flag.recompiles, clear };
  return current;
}
