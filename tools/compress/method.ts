// What a compression method is: it turns a matrix of weights into the packed bytes of a scheme. One file a method in methods/.
import { SkintError } from "../../runtime/errors.ts";
import { type Columns, unarrange } from "../../runtime/graph/columns.ts";
import { roundup } from "../../runtime/num/int.ts";
import { BLOCK_ROWS, type Scheme } from "../../runtime/quant/scheme.ts";
import type { InputStatistics, Need } from "./calibrate/statistics.ts";
import type { Linalg } from "./linalg/linalg.ts";
import { OutputError } from "./outcome.ts";

/** Values by name: the defaults that a method declares, or what a recipe sets instead. */
export type Settings = Readonly<Record<string, number | boolean>>;

/** One matrix W [n, k] of the checkpoint, read in runs of rows. */
export interface MatrixJob {
  readonly name: string;
  readonly n: number;
  readonly k: number;
  readonly scheme: Scheme;
  /** Element type in the checkpoint, by the file format's own name. */
  readonly dtype: string;
  /** The method's settings, those of the recipe in front. */
  readonly settings: Settings;
  /** Rows [row, row + rows) as f32 [rows, k]; checked to be finite. */
  read(row: number, rows: number): Promise<Float32Array>;
  /** The same rows as the checkpoint's bytes; absent where the rows do not lie together in the file. */
  readonly readBlocks?: (row: number, rows: number) => Promise<Uint8Array>;
  /** How the rows' columns are arranged, where the scheme wants that. */
  readonly columns?: Columns;
  /** Takes the packed bytes in order. */
  write(packed: Uint8Array): Promise<void>;
  /** What calibration learnt of the matrix's input; there if the method needs any of it. */
  readonly calibrated?: Calibrated;
  /** What a path makes beside the matrix, f32 of the same rows: the codes are to stand for the rest. */
  readonly beside?: (row: number, rows: number) => Promise<Float32Array>;
}

export interface Calibrated {
  readonly inputs: InputStatistics;
  readonly la: Linalg;
}

export interface MatrixReport {
  readonly name: string;
  readonly scheme: string;
  readonly n: number;
  readonly k: number;
  readonly bytes: number;
  /** Σ (w − ŵ)² over Σ w²: the relative error is its square root. */
  readonly relativeSquaredError: number;
  /** The same of the outputs, ‖(W − Ŵ) x‖² over ‖W x‖²: `predicted` for the inputs of calibration, `measured` on inputs kept apart. */
  readonly output?: OutputShares;
  readonly path?: PathReport;
}

export interface OutputShares {
  readonly predicted: number;
  readonly measured: number;
}

/** What stands beside a matrix (paths.ts). */
export interface PathReport {
  /** Its first half, which linears of one input share. */
  readonly down: string;
  readonly rank: number;
  readonly power: number;
  /** Of `up`, and of `down` where this is the first of those that share it. */
  readonly bytes: number;
  /** SHA-256 of what the packed matrix stands for (f32, row after row, columns as the input has them) when the path was fitted to it. */
  readonly fittedTo: string;
  /** The matrix's `output` with the path beside it. */
  readonly output?: OutputShares;
}

export interface Method {
  readonly name: string;
  readonly summary: string;
  /** Statistics of the matrix's input that it works from; a recipe with such a method calibrates. */
  readonly needs?: readonly Need[];
  /** Its settings with their defaults. */
  readonly settings?: Settings;
  /** Why it cannot bring a matrix into a scheme, if so. */
  refuses?(scheme: Scheme): string | undefined;
  compress(job: MatrixJob): Promise<MatrixReport>;
}

/** What calibration learnt for a job of a method that asked for it. */
export function calibratedOf(job: MatrixJob): Calibrated {
  if (job.calibrated) return job.calibrated;
  throw new SkintError("calibration.text", `${job.name} was not calibrated; give a text with --calibration`, { what: job.name });
}

/** Bytes of f32 weights handled at a time. */
const CHUNK = 4 * 2 ** 20;

/** Packs rows w f32 [rows, k], which start at row `row` of the matrix, into `out`: that run of blocks. */
export type PackRows = (job: MatrixJob, w: Float32Array, row: number, rows: number, out: Uint8Array) => void | Promise<void>;

/** Rows with their columns where the input has them. */
function inPlace({ columns, k }: MatrixJob, w: Float32Array): Float32Array {
  if (!columns) return w;
  const out = new Float32Array(w.length);
  for (let at = 0; at < w.length; at += k) out.set(unarrange(w.subarray(at, at + k), columns), at);
  return out;
}

/** Rows less what a path beside them makes. */
async function restOf({ beside }: MatrixJob, w: Float32Array, row: number, rows: number): Promise<Float32Array> {
  if (!beside) return w;
  const made = await beside(row, rows);
  return w.map((v, i) => v - made[i]);
}

/** Walks a matrix in runs of whole blocks of rows, packs each, and sums up what it cost. */
export async function packInRuns(job: MatrixJob, pack: PackRows): Promise<MatrixReport> {
  const { name, n, k, scheme, calibrated } = job;
  const step = Math.max(BLOCK_ROWS, Math.floor(CHUNK / (4 * k) / BLOCK_ROWS) * BLOCK_ROWS);
  const output = calibrated?.inputs.gram ? new OutputError(calibrated.la, calibrated.inputs) : undefined;
  let bytes = 0;
  let error = 0;
  let energy = 0;
  for (let row = 0; row < n; row += step) {
    const rows = Math.min(step, n - row);
    const w = await job.read(row, rows);
    const packed = new Uint8Array(scheme.bytes(roundup(rows, BLOCK_ROWS), k));
    await pack(job, await restOf(job, w, row, rows), row, rows, packed);
    const back = scheme.decode(packed, rows, k);
    for (let i = 0; i < w.length; i++) {
      error += (w[i] - back[i]) ** 2;
      energy += w[i] ** 2;
    }
    output?.add(inPlace(job, w), inPlace(job, back), rows);
    await job.write(packed);
    bytes += packed.length;
  }
  const report = { name, scheme: scheme.name, n, k, bytes, relativeSquaredError: energy ? error / energy : 0 };
  return output ? { ...report, output: output.result() } : report;
}
