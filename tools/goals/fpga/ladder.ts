// The shape ladder of the FPGA engine: jobs of every mode, and what must come out by the reference of `linear` and the definition of fx16.
import { I8TOK, i8tokLayout } from "../../../runtime/act/i8tok.ts";
import { createRandom, type Random } from "../../../runtime/num/random.ts";
import { reference } from "../../../runtime/ops/linear/reference.ts";
import { SCHEMES } from "../../../runtime/quant/catalogue.gen.ts";
import type { SparseScheme } from "../../../runtime/quant/scheme.ts";
import type { Hello } from "../../../targets/devices/fpga/link/protocol.ts";
import type { Session } from "../../../targets/devices/fpga/link/session.ts";
import { encodeLayer, encodeRow, isPaired, isSparse, MODES, type Mode, type RowScale, requantise } from "../../../targets/devices/fpga/twin/layer.ts";
import { packRows } from "../../../targets/devices/fpga/twin/pack.ts";

export interface Job {
  readonly name: string;
  readonly mode: Mode;
  readonly rows: number;
  readonly k: number;
  /** int8 [rows, k] */
  readonly codes: Int8Array;
  /** With 2:4: the places that are kept (runtime/quant/scheme.ts). */
  readonly kept?: Uint8Array;
  /** int8 [k] */
  readonly x: Int8Array;
  /** Of each row; undefined: sums come back as they are. */
  readonly scales?: readonly RowScale[];
  readonly relu: boolean;
}

/** k below, at and above a row of 16 and not a multiple of it; one row, odd rows, many. The first is negative throughout: it shows a lost sign. */
const SHAPES = [
  [2, 16],
  [1, 1],
  [3, 15],
  [4, 17],
  [5, 48],
  [8, 64],
  [17, 100],
  [16, 128],
  [9, 200],
  [33, 256],
  [12, 512],
] as const;
const PAIRS = [0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3];

function keep(random: Random, rows: number, k: number, codes: Int8Array): Uint8Array {
  const groups = Math.ceil(k / 4);
  const kept = new Uint8Array(2 * rows * groups);
  for (let g = 0; g < rows * groups; g++) {
    const pair = 2 * random.below(6);
    kept.set(PAIRS.slice(pair, pair + 2), 2 * g);
    for (let i = 0; i < 4; i++) {
      const at = 4 * (g % groups) + i;
      if (at < k && PAIRS[pair] !== i && PAIRS[pair + 1] !== i) codes[Math.floor(g / groups) * k + at] = 0;
    }
  }
  return kept;
}

function job(random: Random, mode: Mode, rows: number, k: number, requantised: boolean, index: number): Job {
  const wide = isPaired(mode) ? 8 : 128;
  const rails = index % 3 === 2;
  const draw = (most: number) => (index === 0 ? -1 - random.below(most - 1) : rails ? (random.below(2) ? most - 1 : -most) : random.below(2 * most) - most);
  const codes = Int8Array.from({ length: rows * k }, () => draw(wide));
  const kept = isSparse(mode) ? keep(random, rows, k, codes) : undefined;
  const x = Int8Array.from({ length: k }, () => draw(128));
  const scale = (): RowScale => ({ bias: (random.u32() | 0) >> (random.below(2) ? 16 : 4), scale: random.below(65536), shift: random.below(12) });
  const scales = requantised ? Array.from({ length: rows }, scale) : undefined;
  return { name: `${mode} ${rows}×${k}${requantised ? " fx16" : ""}`, mode, rows, k, codes, kept, x, scales, relu: requantised && index % 2 === 1 };
}

/** One job of a given shape. */
export const jobOf = (mode: Mode, rows: number, k: number, requantised: boolean): Job => job(createRandom(1), mode, rows, k, requantised, 1);

/** Every mode over every shape, as sums and requantised. */
export function ladder(seed = 1): Job[] {
  const random = createRandom(seed);
  return (Object.keys(MODES) as Mode[]).flatMap((mode) => SHAPES.flatMap(([rows, k], i) => [false, true].map((fx16) => job(random, mode, rows, k, fx16, i))));
}

/** Sums by the reference of `linear`, whose scales are 1 here; for −128, which no format of runtime/act has, by the definition. */
function sums({ mode, rows, k, codes, kept, x }: Job): number[] {
  if (codes.includes(-128) || x.includes(-128)) return Array.from({ length: rows }, (_, r) => x.reduce((sum, v, i) => sum + v * codes[r * k + i], 0));
  const name = isSparse(mode) ? "q8s24" : "q8";
  const scheme = SCHEMES[name] as SparseScheme;
  const w = new Uint8Array(scheme.bytes(rows, k));
  scheme.pack(codes, new Float32Array(rows).fill(1), rows, k, w, kept);
  const row = new Uint8Array(i8tokLayout(k).bytes);
  new DataView(row.buffer).setFloat32(0, 1, true);
  row.set(new Uint8Array(x.buffer), I8TOK.header);
  const y = new Float32Array(rows);
  reference({ tensors: { x: row, w, y }, values: { rows: 1, xs: row.length, ys: rows, rs: 0, n: rows, k } }, name === "q8" ? "q8" : "q8s24_i8tok");
  return [...y];
}

export function expected(j: Job): number[] {
  const all = sums(j);
  return j.scales ? all.map((s, r) => requantise(s, (j.scales as RowScale[])[r], j.relu)) : all;
}

/** Where jobs put their parts, in words. */
const PLACES = { layer: 0, parameters: 2, activations: 0, weights: 0 };

/** Is a device large enough for a job? */
export function fits(j: Job, { words }: Hello): boolean {
  const packed = packRows(j.mode, j.codes, j.rows, j.k, j.kept);
  const results = Math.ceil((packed.rows * (j.scales ? 1 : 4)) / 8);
  return packed.words.length / 8 <= words.weights && 2 * Math.ceil(j.k / 16) + results <= words.activations && 2 + (j.scales ? packed.rows : 0) <= words.parameters;
}

export interface Outcome {
  readonly values: number[];
  readonly cycles: number;
  /** Multiply-adds of weights that are there: with 2:4 of those that are kept. */
  readonly macs: number;
}

/** Loads a job onto a device, runs it and reads what came out. */
export async function runJob(session: Session, j: Job): Promise<Outcome> {
  const packed = packRows(j.mode, j.codes, j.rows, j.k, j.kept);
  const x = new Uint8Array(16 * Math.ceil(j.k / 16));
  x.set(new Uint8Array(j.x.buffer));
  const results = x.length / 8;
  const parameters = new Uint8Array(8 * packed.rows);
  j.scales?.forEach((s, r) => {
    parameters.set(encodeRow(s), 8 * r);
  });
  const { mode, rows, steps } = packed;
  await session.write("weights", PLACES.weights, packed.words);
  await session.write("activations", PLACES.activations, x);
  if (j.scales) await session.write("parameters", PLACES.parameters, parameters);
  const layer = encodeLayer({ ...PLACES, mode, rows, steps, results, requantise: j.scales !== undefined, relu: j.relu });
  await session.write("parameters", PLACES.layer, layer);
  const cycles = await session.run(PLACES.layer, 1);
  const bytes = await session.read("activations", results, Math.ceil((rows * (j.scales ? 1 : 4)) / 8));
  const values = j.scales ? new Int8Array(bytes.buffer) : new Int32Array(bytes.buffer);
  return { values: [...values.subarray(0, j.rows)], cycles, macs: (j.rows * j.k) / (isSparse(j.mode) ? 2 : 1) };
}
