// Runs one case on one build: places the operands, encodes the record, calls the kernel's units, hands back the outputs.
// Every operand in turn is also placed flush with the end of memory, so that a kernel that reads past it traps.
import { roundup } from "../../runtime/num/int.ts";
import { OPS } from "../../runtime/ops/catalogue.gen.ts";
import type { OperandArray, Operands } from "../../runtime/ops/define.ts";
import { REFERENCES } from "../../runtime/ops/references.gen.ts";
import { type BuildName, KERNELS } from "../../targets/devices/wasm/catalogue.gen.ts";
import { CONTROL_BYTES } from "../../targets/devices/wasm/control.ts";
import { encodeRecord } from "../../targets/devices/wasm/encode.ts";
import { instantiate } from "../support/core.ts";
import type { Bound, Case } from "./case.ts";

const PAGE = 65536;
export const RECORD = PAGE;
const CELLS = PAGE + 256;
/** Where lanes may share a control block. */
export const CONTROL_AT = PAGE + 1024;
const DATA = CONTROL_AT + roundup(CONTROL_BYTES, 64);
const GUARD = 64;
const GUARD_BYTE = 0xa5;

export type Outputs = Record<string, OperandArray>;

export function runReference(op: string, c: Case): Outputs {
  const tensors = c.tensors();
  const values: Record<string, number> = { ...c.values, rows: c.rows };
  for (const [field, kind] of Object.entries(OPS[op].fields)) if (kind.startsWith("stride ")) values[field] = c.strides[kind.slice(7)] ?? 0;
  REFERENCES[op]({ tensors, values } satisfies Operands, c.variant);
  return pick(tensors, c);
}

/** Outputs as the case views them, and as `<field> alike` what builds must agree on beyond that. */
function pick(tensors: Record<string, OperandArray>, c: Case): Outputs {
  const out: Outputs = {};
  for (const f of Object.keys(c.compare)) {
    out[f] = c.view?.[f]?.(tensors[f]) ?? tensors[f];
    if (c.alike?.[f]) out[`${f} alike`] = c.alike[f](tensors[f]);
  }
  return out;
}

/** Names of the kernels of `build` that implement the case. */
export function kernelsFor(build: BuildName, op: string, variant: string): string[] {
  return OPS[op].families.flatMap((family) => KERNELS[build].filter((k: string) => k.startsWith(`${family}_${variant}__`)));
}

export interface Placement {
  readonly units: number;
  /** Operand that ends where memory ends. */
  readonly last?: string;
  /** Bytes all operands are moved off 16-byte alignment (a multiple of 4). */
  readonly skew: number;
}

export function runKernel(build: BuildName, kernel: string, op: string, c: Case, how: Placement): Outputs {
  const core = instantiate(build, Math.ceil(bytesFor(c, how) / PAGE));
  const placed = place(core.memory, build, kernel, op, c, how);
  for (let u = 0; u < how.units; u++) core.unit(RECORD, u, how.units);
  return placed.outputs();
}

/** Bytes of memory that a placed case wants at least. */
export function bytesFor(c: Case, how: Placement): number {
  const operands = Object.values(c.tensors()).reduce((sum, t) => sum + Math.ceil((t.byteLength + 2 * GUARD + how.skew) / 64) * 64, 0);
  return DATA + operands + PAGE;
}

/** Writes a case's operands and its record, which is at RECORD, into a memory; `outputs` looks at what a kernel has made of them. */
export function place(memory: WebAssembly.Memory, build: BuildName, kernel: string, op: string, c: Case, how: Placement): { outputs(): Outputs } {
  const tensors = c.tensors();
  const fields = Object.keys(tensors);
  const order = [...fields.filter((f) => f !== how.last), ...(how.last ? [how.last] : [])];
  const size = (f: string) => tensors[f].byteLength;
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(GUARD_BYTE, DATA);
  const at: Record<string, number> = {};
  let next = DATA;
  for (const f of order) {
    at[f] = f === how.last ? bytes.length - size(f) : Math.ceil((next + GUARD) / 64) * 64 + how.skew;
    next = at[f] + size(f);
    bytes.set(new Uint8Array(tensors[f].buffer, tensors[f].byteOffset, size(f)), at[f]);
  }
  const view = new DataView(memory.buffer);
  const cells = new Map<string, number>();
  const cell = (field: string): number => {
    if (!cells.has(field)) {
      cells.set(field, CELLS + 4 * cells.size);
      view.setUint32(cells.get(field) as number, field === "rows" ? c.rows : c.values[field], true);
    }
    return cells.get(field) as number;
  };
  encodeRecord(view, RECORD, OPS[op], {
    kernel: (KERNELS[build] as readonly string[]).indexOf(kernel),
    units: how.units,
    address: (f) => (["rows", "slot"].includes(OPS[op].fields[f]) ? cell(f) : (at[f] ?? 0)),
    stride: (t) => c.strides[t] ?? 0,
    value: (f) => c.values[f],
  });
  return {
    outputs: () => {
      checkGuards(bytes, at, tensors, c, how);
      for (const f of fields) new Uint8Array(tensors[f].buffer, tensors[f].byteOffset, size(f)).set(bytes.subarray(at[f], at[f] + size(f)));
      return pick(tensors, c);
    },
  };
}

/** Nothing but the outputs may have changed around any operand. */
function checkGuards(bytes: Uint8Array, at: Record<string, number>, tensors: Record<string, OperandArray>, c: Case, how: Placement): void {
  for (const f of Object.keys(at)) {
    const end = at[f] + tensors[f].byteLength;
    for (let i = 1; i <= GUARD - how.skew; i++) {
      if (bytes[at[f] - i] !== GUARD_BYTE) throw new Error(`${c.name}: byte ${i} before ${f} was written`);
      if (end + i <= bytes.length && bytes[end + i - 1] !== GUARD_BYTE) throw new Error(`${c.name}: byte ${i} after ${f} was written`);
    }
  }
}

/** First difference beyond the bound, or undefined. */
export function difference(got: OperandArray, want: OperandArray, bound: Bound): string | undefined {
  for (let i = 0; i < want.length; i++) {
    const same = Object.is(got[i], want[i]) || (got[i] === want[i] && bound !== "exact");
    if (same || (bound !== "exact" && Math.abs(got[i] - want[i]) <= bound.abs + bound.rel * Math.abs(want[i]))) continue;
    if (bound === "exact" && got[i] === want[i]) continue; // +0 and -0
    return `[${i}] is ${got[i]}, the reference says ${want[i]}`;
  }
  return undefined;
}
