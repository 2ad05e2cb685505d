// Do two builds agree? Every kernel but the linears (selftest.ts has those) runs on the same made-up operands in a build and in the scalar
// build, which must give the same bits. Shapes are small; operands are large areas, so that no op's exact sizes need to be known here.

import { scratchWords } from "../../../runtime/ops/attention/parts.ts";
import { OPS } from "../../../runtime/ops/catalogue.gen.ts";
import type { FieldKind, OpDef } from "../../../runtime/ops/define.ts";
import { FFN_MODES } from "../../../runtime/ops/select/control.ts";
import { writeList } from "../../../runtime/ops/select/list.ts";
import { CHUNK, scratchWords as chunkWords } from "../../../runtime/ops/ssd/chunks.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import { KERNELS } from "./catalogue.gen.ts";
import { type CoreExports, instantiate } from "./core.ts";
import { encodeRecord } from "./encode.ts";

const PAGE = 65536;
const RECORD = PAGE;
const CELLS = PAGE + 256;
const AREAS = PAGE + 1024;
/** Bytes of one operand's area: more than any of them needs. */
const AREA = 3 * PAGE;
const UNITS = 3;

const isOperand = (kind: FieldKind) => /^(?:in|out|inout)\??$/.test(kind);
const MOST_OPERANDS = Math.max(...Object.values(OPS).map((op) => Object.values(op.fields).filter(isOperand).length));

/** Attributes and slots by name; one that is not here is UNKNOWN. */
const VALUES: Readonly<Record<string, number>> = {
  rows: 5,
  pos: 290,
  k: 328,
  n: 48,
  vocab: 40,
  heads: 6,
  kvheads: 2,
  dh: 64,
  rot: 64,
  capacity: 300,
  scale: 0.125,
  eps: 1e-5,
  cap: 30,
  softcap: 0,
  window: 0,
  height: 5,
  width: 6,
  oh: 5,
  ow: 6,
  channels: 32,
  states: 24,
  outputs: 16,
  size: 3,
  pad: 1,
  most: 100,
};
const UNKNOWN = 1;
/** Floats a row of an operand is from the next; of packed formats, bytes. */
const STRIDE = 1024;

export interface Subject {
  readonly module: WebAssembly.Module;
  readonly kernels: readonly string[];
  readonly shared: boolean;
}

/** Kernels of `subject` whose results are not those of the scalar build. */
export function differences(subject: Subject, scalar: WebAssembly.Module): string[] {
  const [one, other] = [bench(subject), bench({ module: scalar, kernels: KERNELS.scalar, shared: false })];
  const plain = new Map(KERNELS.scalar.map((name) => [name.slice(0, name.lastIndexOf("__")), name as string]));
  return subject.kernels.filter((kernel) => {
    const what = kernel.slice(0, kernel.lastIndexOf("__"));
    const op = Object.values(OPS).find((o) => o.name !== "linear" && o.families.some((f) => what.startsWith(`${f}_`)));
    const same = plain.get(what);
    if (!op || !same) return false;
    return kindsOf(op).some((kind) => !agree(other(same, op, kind), one(kernel, op, kind)));
  });
}

/** An activation is several functions; attention takes a row at a time where its pattern is asked for, else several; rows of neurons may lie apart. */
const kindsOf = (op: OpDef) => ("kind" in op.fields ? [0, 1, 2, 3, 4] : op.name === "attention" || "compact" in op.fields ? [0, 1] : [0]);
const leftOut = (op: OpDef, kind: number) => (op.name !== "attention" ? [] : kind === 0 ? ["parts"] : ["parts", "pattern"]);

function agree(want: Uint32Array, got: Uint32Array): boolean {
  const nan = (v: number) => (v & 0x7fffffff) > 0x7f800000;
  return want.every((v, i) => v === got[i] || (nan(v) && nan(got[i])));
}

/** Operands of steps that have one row. */
const LISTS = ["only", "picks", "list"];

/** Operands that builds leave behind as they like. */
const SCRATCH: readonly string[] = ["scores", "dt", "scratch"];

/** Words from one unit's row of scratch memory to the next, by operand. */
const SCRATCH_WORDS: Readonly<Record<string, number>> = {
  scores: scratchWords(VALUES.heads, VALUES.kvheads, VALUES.dh, VALUES.rows),
  scratch: chunkWords(VALUES),
};

/** Rows of a step: a scan by chunks has some behind a whole one. */
const rowsOf = (kernel: string) => (kernel.startsWith("ssd_chunks__") ? CHUNK + 5 : VALUES.rows);

type Run = (kernel: string, op: OpDef, kind: number) => Uint32Array;

/** A memory with an instance on it; a run gives the words of all operands but scratch. */
function bench({ module, kernels, shared }: Subject): Run {
  const pages = Math.ceil((AREAS + MOST_OPERANDS * AREA) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared });
  const core: CoreExports = instantiate(module, memory);
  const view = new DataView(memory.buffer);
  return (kernel, op, kind) => {
    const operands = Object.entries(op.fields).filter(([, k]) => isOperand(k));
    const used = operands.filter(([field]) => !leftOut(op, kind).includes(field));
    const at = new Map(used.map(([field], i) => [field, AREAS + i * AREA]));
    for (const [field, address] of at) fill(new Uint8Array(memory.buffer, address, AREA), field, kernel, kind);
    const cells = new Map(["rows", "pos"].map((name, i) => [name, CELLS + 4 * i]));
    for (const [name, address] of cells) view.setUint32(address, name === "rows" ? rowsOf(kernel) : VALUES[name], true);
    if (LISTS.some((field) => field in op.fields)) view.setUint32(CELLS, 1, true);
    encodeRecord(view, RECORD, op, {
      kernel: kernels.indexOf(kernel),
      units: UNITS,
      address: (field) => cells.get(field) ?? at.get(field) ?? 0,
      stride: (t) => SCRATCH_WORDS[t] ?? STRIDE,
      value: (field) => (field === "kind" ? kind : field === "panel" ? 0 : (VALUES[field] ?? UNKNOWN)),
    });
    for (let u = 0; u < UNITS; u++) core.unit(RECORD, u, UNITS);
    const kept = used.filter(([field]) => !SCRATCH.includes(field)).map(([field]) => new Uint32Array(memory.buffer, at.get(field), AREA / 4));
    const out = new Uint32Array(kept.length * (AREA / 4));
    kept.forEach((words, i) => {
      out.set(words, (i * AREA) / 4);
    });
    return out;
  };
}

const noise = (i: number) => Math.imul(i + 1, 2654435761) >>> 9;

/** Operands that hold other things than floats of both signs, by the field's name. */
const CONTENTS: Readonly<Record<string, (words: Uint32Array, kind: number) => void>> = {
  tokens: (words) => words.set(words.map((_, i) => noise(i) % VALUES.vocab)),
  only: (words, kind) => writeList(words, VALUES.n, listed, kind === 1),
  core: (words) => writeList(words, VALUES.n, listed),
  picks: (words, kind) => writeList(words, VALUES.n, undefined, kind === 1),
  control: (words, kind) => words.set([kind % FFN_MODES.length, VALUES.n, 0, listed.length]),
  list: (words) => words.fill(0),
  a: (words) => words.set(words.map((_, i) => 0xbf000000 | noise(i))),
};
const listed = Array.from({ length: VALUES.n / 3 }, (_, i) => 3 * i);

/** Kernels whose operands are codes of a byte. */
const CODES = /_(?:i8f32|i8i8|i8|w4|w8)__/;

/** Made-up contents: packed tables, what CONTENTS says, codes that are sound floats too, and else floats of both signs; caches hold what is a sound number in any format. */
function fill(area: Uint8Array, field: string, kernel: string, kind: number): void {
  const words = new Uint32Array(area.buffer, area.byteOffset, area.length / 4);
  const floats = new Float32Array(area.buffer, area.byteOffset, area.length / 4);
  words.fill(0);
  if (field === "table" && kernel.startsWith("embed_")) encodeTable(area, kernel);
  else if (CONTENTS[field]) CONTENTS[field](words, kind);
  else if (/cache$/.test(field)) for (let i = 0; i < words.length; i++) words[i] = 0x30003000 | (noise(i) & 0x07ff) | ((noise(i + 7) & 0x07ff) << 16);
  else if (CODES.test(kernel)) for (let i = 0; i < area.length; i++) area[i] = field === "w" ? noise(i) & 7 : 32 + (noise(i) & 31);
  else for (let i = 0; i < floats.length; i++) floats[i] = ((noise(i) % 4001) - 2000) / 777;
}

function encodeTable(area: Uint8Array, kernel: string): void {
  const scheme = SCHEMES[kernel.slice("embed_".length, kernel.lastIndexOf("__"))];
  const { vocab, k } = VALUES;
  const weights = Float32Array.from({ length: vocab * k }, (_, i) => ((i * 29) % 31) - 15);
  scheme.encode(weights, vocab, k, area.subarray(0, scheme.bytes(vocab, k)));
}
