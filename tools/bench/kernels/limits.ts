// What the machine can do at most, measured beside the kernels: reading memory, and multiply-adds a second by instruction. The limits are
// kernels of a core of their own (assembly/limits), walked by the same executor on as many lanes.
import { readFileSync } from "node:fs";
import { SkintError } from "../../../runtime/errors.ts";
import { RECORD_WORDS } from "../../../runtime/ops/define.ts";
import type { Program } from "../../../runtime/plan/device.ts";
import { memoryMap } from "../../../runtime/plan/memory.ts";
import type { Plan, Step } from "../../../runtime/plan/types.ts";
import { fingerprint, instantiate } from "../../../targets/devices/wasm/core.ts";
import { probe } from "../../../targets/devices/wasm/probe.ts";
import { WasmProgram } from "../../../targets/devices/wasm/program.ts";
import type { Host } from "../../../targets/hosts/host.ts";
import { built } from "../../../targets/hosts/node/host.ts";
import type { Timed } from "./interleave.ts";
import { LIMITS } from "./limits.gen.ts";

/** By the name of the file in assembly/limits: what people call it, and its multiply-adds an instruction (none: it reads). */
const KINDS: Readonly<Record<string, { readonly title: string; readonly macs?: number }>> = {
  read: { title: "read-only stream" },
  lines: { title: "one load a cache line" },
  i16dot: { title: "i16 dot + add", macs: 8 },
  i16rdot: { title: "i16 relaxed dot + add", macs: 16 },
  i32rdot: { title: "i32 relaxed dot add", macs: 16 },
  f32madd: { title: "f32 multiply-add", macs: 4 },
};

/** Read in turn: 16 times 12 MiB in rows of 64 KiB, together far beyond any cache. */
const STREAM = { parts: 16, rows: 192, k: 16384 };
/** Turns through 6 KiB. */
const PEAK = { parts: 1, rows: 8000, k: 1536 };
/** A peak takes 8 vectors of products out of 24 words. */
const INSTRUCTIONS = (PEAK.rows * PEAK.k * 8) / 24;
const UNITS = 64;
/** Every byte of the operands: small as an integer, a normal number as f32. */
const FILL = 0x3f;

export interface Limit extends Timed {
  readonly name: string;
  readonly title: string;
  /** Bytes read or multiply-adds done by a sample. */
  readonly work: number;
  readonly unit: "GB/s" | "GMAC/s";
}

export interface Limits {
  readonly all: readonly Limit[];
  close(): void;
}

const kindOf = (kernel: string) => KINDS[nameOf(kernel)];
const nameOf = (kernel: string) => /^limits_(\w+)__/.exec(kernel)?.[1] as string;
const isRead = (kernel: string) => kindOf(kernel).macs === undefined;

function stepOf(kernel: string, x: string, { rows, k }: typeof STREAM): Step {
  const cost = { bytes: 4 * rows * k, macs: 0 };
  return { op: "copy", variant: "rows", kernel, name: kernel, rows: "T", tensors: { x, y: "sums" }, attrs: { k }, slots: {}, units: UNITS, why: "a limit of the machine", cost };
}

function planOf(kernel: string): Plan {
  const size = isRead(kernel) ? STREAM : PEAK;
  const operands = Array.from({ length: size.parts }, (_, i) => ({
    // What one limit has just read would not be cold for another.
    name: isRead(kernel) ? `${kernel} ${i}` : "operands",
    role: "input" as const,
    format: "f32",
    shape: [isRead(kernel) ? size.rows : 1, size.k],
  }));
  const sums = { name: "sums", role: "output" as const, format: "f32", shape: ["T" as const, 4] };
  return {
    name: kernel,
    symbols: { T: size.rows, L: 1, C: 1 },
    steps: operands.map(({ name }) => stepOf(kernel, name, size)),
    tensors: new Map([...operands, sums].map((t) => [t.name, t])),
    arena: new Map(),
    arenaBytes: 0,
    adjacent: [],
  };
}

function limitOf(program: Program, plan: Plan): Limit {
  const { title, macs } = kindOf(plan.name);
  const pass = plan.steps.length;
  const run = (sample: number) => {
    program.setSlot("T", plan.symbols.T);
    program.execute(plan.name, sample, sample + 1);
  };
  return {
    name: nameOf(plan.name),
    title,
    work: macs === undefined ? plan.steps[0].cost.bytes : macs * INSTRUCTIONS,
    unit: macs === undefined ? "GB/s" : "GMAC/s",
    pass,
    prepare: (sample) => run((sample + pass - 1) % pass),
    run,
  };
}

/** The limits that this engine can show, on `lanes` lanes. */
export async function openLimits(host: Host, lanes: number): Promise<Limits> {
  const { simd, relaxed } = probe();
  if (!simd) return { all: [], close: () => {} };
  const build = `${relaxed ? "relaxed" : "simd"}${lanes > 1 ? "-threads" : ""}` as keyof typeof LIMITS;
  const kernels: readonly string[] = LIMITS[build];
  const module = await WebAssembly.compile(readFileSync(built(`limits/${build}.wasm`)));
  const shared = lanes > 1;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
  if (instantiate(module, memory).fingerprint() >>> 0 !== fingerprint(kernels, RECORD_WORDS))
    throw new SkintError("device.unavailable", `limits/${build}.wasm is of another version; run npm run build`, { what: build });
  const plans = kernels.map(planOf);
  const map = memoryMap(plans);
  const program = new WasmProgram(host, { module, kernels, shared, lanes }, map, plans);
  for (const x of map.tensors.keys()) program.view(x).fill(FILL);
  const order = Object.keys(KINDS);
  const all = plans.map((p) => limitOf(program, p)).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { all, close: () => program.close() };
}
