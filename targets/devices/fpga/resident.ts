// Matrices that stay on the FPGA: which linears of a model fit, where their weights and layers lie, and one product with them.
// A matrix becomes layers that give sums as i32: one a group of weights that shares a scale, and as many runs as the results need room.
// The floats behind the sums are those of the reference of `linear`, in its order, so that the bits are those of every other device.
import { parseLinearVariant } from "../../../runtime/ops/linear/variant.ts";
import { type IntegerScheme, isInteger, isSparse as isSparseScheme, type SparseScheme } from "../../../runtime/quant/scheme.ts";
import { crc32 } from "./link/crc.ts";
import { type Hello, WORD_BYTES } from "./link/protocol.ts";
import type { Session } from "./link/session.ts";
import { encodeLayer, isPaired, LAYER_BYTES, MAX_ROWS, MAX_STEPS, type Mode } from "./twin/layer.ts";
import { packRows, ROW_CODES, stepsOf, wordsOf } from "./twin/pack.ts";

/** What a matrix is: W [n, k] in a weight scheme. */
export interface Matrix {
  readonly variant: string;
  readonly n: number;
  readonly k: number;
}

/** Rows [from, from + rows) of a matrix, all its groups: one run. */
interface Chunk {
  readonly from: number;
  readonly rows: number;
  /** First of its layers, in words among the parameters. */
  readonly layer: number;
  /** Of each group, in words. */
  readonly weights: readonly number[];
}

export interface Placed extends Matrix {
  readonly mode: Mode;
  /** Weights that share a scale: k or less. */
  readonly group: number;
  readonly groups: number;
  readonly chunks: readonly Chunk[];
}

const MODE_OF: Readonly<Record<string, Mode>> = { q8: "int8", q8g32: "int8", q4g32: "int4", q4g128: "int4", q8s24: "int8s24", q4s24: "int4s24" };
/** Formats whose codes, zero point taken off, are int8 with one scale a row. */
const ACTS_OF_INT8: ReadonlySet<string> = new Set(["i8tok", "u7tok"]);
const LAYER_WORDS = LAYER_BYTES / WORD_BYTES;

/** Places matrices one behind the other until a memory is full. */
export class Placer {
  private weights = 0;
  private layers = 0;

  constructor(private readonly hello: Hello) {}

  /** Words of weights that are taken. */
  get used(): number {
    return this.weights;
  }

  /** Undefined: its scheme or activation format is not one of the engine's, or there is no room for it. */
  place(m: Matrix): Placed | undefined {
    const { scheme, act } = parseLinearVariant(m.variant);
    const mode = MODE_OF[scheme.name];
    if (!mode || !isInteger(scheme) || !ACTS_OF_INT8.has(act)) return undefined;
    const group = scheme.group || m.k;
    const groups = Math.ceil(m.k / group);
    const { words } = this.hello;
    const xWords = (groups * ROW_CODES * Math.ceil(group / ROW_CODES)) / WORD_BYTES;
    const most = Math.min(MAX_ROWS & ~1, 2 * Math.floor((words.activations - xWords) / groups));
    const steps = stepsOf(mode, group);
    if (most < 2 || steps > MAX_STEPS) return undefined;
    const chunks: Chunk[] = [];
    let { weights, layers } = this;
    for (let from = 0; from < m.n; from += most) {
      const rows = Math.min(most, m.n - from);
      const each = wordsOf(mode, steps) * (isPaired(mode) ? Math.ceil(rows / 2) : rows);
      chunks.push({ from, rows, layer: layers, weights: Array.from({ length: groups }, (_, g) => weights + g * each) });
      weights += groups * each;
      layers += groups * LAYER_WORDS;
    }
    if (weights > words.weights || layers > words.parameters) return undefined;
    Object.assign(this, { weights, layers });
    return { ...m, mode, group, groups, chunks };
  }
}

const schemeOf = (p: Matrix) => parseLinearVariant(p.variant).scheme as IntegerScheme;

/** Activations of a group, in words: each begins on a row of sixteen. */
const xWordsOf = ({ group }: Placed): number => (ROW_CODES * Math.ceil(group / ROW_CODES)) / WORD_BYTES;

/** A part of a memory and what has to be there. */
export interface Section {
  readonly memory: "weights" | "parameters";
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What the device has to hold for a matrix. `packed`: its bytes in its scheme. */
export function sectionsOf(p: Placed, packed: Uint8Array): Section[] {
  const scheme = schemeOf(p);
  const { codes } = scheme.unpack(packed, p.n, p.k);
  const kept = isSparseScheme(scheme) ? (scheme as SparseScheme).unpack(packed, p.n, p.k).kept : undefined;
  return p.chunks.flatMap((c) =>
    c.weights.flatMap((weights, g): Section[] => {
      const part = columns(codes, p.k, c, g * p.group, p.group);
      const places = kept && columns(kept, 2 * Math.ceil(p.k / 4), c, (g * p.group) / 2, p.group / 2);
      const rows = packRows(p.mode, part as Int8Array, c.rows, p.group, places as Uint8Array | undefined);
      const results = xWordsOf(p) * p.groups + (g * rows.rows) / 2;
      const layer = {
        mode: p.mode,
        rows: rows.rows,
        steps: rows.steps,
        weights,
        activations: g * xWordsOf(p),
        results: Math.ceil(results),
        parameters: 0,
        requantise: false,
        relu: false,
      };
      return [
        { memory: "weights", at: weights, bytes: rows.words },
        { memory: "parameters", at: c.layer + LAYER_WORDS * g, bytes: encodeLayer(layer) },
      ];
    }),
  );
}

/** Columns [at, at + width) of some rows, behind the last column zeros. */
function columns(from: Int8Array | Uint8Array, stride: number, { from: first, rows }: Chunk, at: number, width: number): Int8Array | Uint8Array {
  const whole = Math.ceil(width);
  const out = from instanceof Int8Array ? new Int8Array(rows * whole) : new Uint8Array(rows * whole);
  for (let r = 0; r < rows; r++) out.set(from.subarray((first + r) * stride + at, (first + r) * stride + Math.min(at + whole, stride)), r * whole);
  return out;
}

/** Writes what is not there yet: a device that was only reset still has its weights. */
export async function load(session: Session, sections: readonly Section[], onProgress?: (done: number, total: number) => void): Promise<void> {
  const total = sections.reduce((sum, s) => sum + s.bytes.length, 0);
  let done = 0;
  for (const { memory, at, bytes } of sections) {
    const there = await session.sum(memory, at, bytes.length / WORD_BYTES);
    if (there !== crc32(bytes)) await session.write(memory, at, bytes, (n) => onProgress?.(done + n, total));
    done += bytes.length;
    onProgress?.(done, total);
  }
}

export interface Product {
  /** Sums i32 [groups][n]. */
  readonly sums: readonly Int32Array[];
  readonly cycles: number;
}

/** Sums of one row of activations, int8 [k]. */
export async function multiply(session: Session, p: Placed, codes: Int8Array): Promise<Product> {
  const each = WORD_BYTES * xWordsOf(p);
  const x = new Uint8Array(each * p.groups);
  for (let g = 0; g < p.groups; g++) x.set(new Uint8Array(codes.slice(g * p.group, (g + 1) * p.group).buffer), g * each);
  await session.write("activations", 0, x);
  const sums = Array.from({ length: p.groups }, () => new Int32Array(p.n));
  let cycles = 0;
  for (const c of p.chunks) {
    cycles += await session.run(c.layer, p.groups);
    const height = Math.ceil(c.rows / 2);
    const bytes = await session.read("activations", x.length / WORD_BYTES, height * p.groups);
    for (let g = 0; g < p.groups; g++) sums[g].set(new Int32Array(bytes.buffer, g * height * WORD_BYTES, c.rows), c.from);
  }
  return { sums, cycles };
}

/** The linear's outputs of these sums, before bias and residual: Σ over groups of f32(sum) · scale, times the scale of x, each step one f32 operation. */
export function outputs(p: Placed, sums: readonly Int32Array[], scales: Float32Array, xscale: number): Float32Array {
  const y = new Float32Array(p.n);
  for (let r = 0; r < p.n; r++) {
    let acc = 0;
    for (let g = 0; g < p.groups; g++) acc = Math.fround(acc + Math.fround(Math.fround(sums[g][r]) * scales[r * p.groups + g]));
    y[r] = Math.fround(acc * xscale);
  }
  return y;
}

/** Scales f32 [n, groups] of a matrix. */
export const scalesOf = (p: Placed, packed: Uint8Array): Float32Array => schemeOf(p).unpack(packed, p.n, p.k).scales;
