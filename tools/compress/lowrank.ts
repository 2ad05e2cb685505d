// Values of a path of low rank (paths.ts): factors that take away the most of what compression left, W − Ŵ, where Ŵ is what the packed bytes
// stand for. The linears that share `down` are stacked, each divided by the size of its outputs if the inputs are known. `down` is rounded to its
// scheme first; `up` is then fitted anew, by least squares on what the rounded `down` makes of the inputs, and rounded last.
import { SkintError } from "../../runtime/errors.ts";
import type { TensorDef } from "../../runtime/graph/types.ts";
import { SCHEMES } from "../../runtime/quant/catalogue.gen.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import { cholesky, invertLower } from "./linalg/factor.ts";
import type { Linalg, Matrix } from "./linalg/linalg.ts";
import { times, timesTransposed } from "./linalg/product.ts";
import { type LowRank, type Power, whitenedSvd } from "./linalg/svd.ts";
import type { PathReport } from "./method.ts";
import { OutputError } from "./outcome.ts";
import { ENOUGH } from "./paths.ts";

/** One of the linears that share a path. */
export interface PathLinear {
  readonly weight: string;
  readonly n: number;
  /** W f32 [n, k] and Ŵ, columns in the order of the input. */
  readonly w: Float32Array;
  readonly back: Float32Array;
  readonly up: TensorDef;
}

export interface PathJob {
  /** As wide as the path may be. */
  readonly down: TensorDef;
  readonly linears: readonly PathLinear[];
  readonly power: Power;
  /** End where ENOUGH is taken away. */
  readonly auto: boolean;
  /** A path beside weights like these, near which the factors are sought. */
  readonly near?: FittedPath;
  /** What calibration learnt of the input, if it did; with a Gram matrix if the power is not 0. */
  readonly inputs?: InputStatistics;
}

export interface FittedPath {
  readonly rank: number;
  /** Packed bytes of `down` and each `up`; none if the rank is 0. */
  readonly packed: ReadonlyMap<string, Uint8Array>;
  /** By weight. */
  readonly reports: ReadonlyMap<string, PathReport>;
  /** The factors before they were rounded; `left` of all linears, one above the other. */
  readonly factors?: LowRank;
  /** What the path makes beside a weight: up · down as they are packed, f32 [n, k]. */
  beside(weight: string): Float32Array;
}

/** Fits a path. Rank 0, so no path, where nothing was lost. Throws `session.nan` for statistics that are not finite. */
export function fitPath(la: Linalg, job: PathJob): FittedPath {
  const { down, linears, power, auto, near } = job;
  const [most, k] = down.shape as [number, number];
  const n = linears.reduce((sum, l) => sum + l.n, 0);
  const gram = gramOf(job);
  const residual = new Float64Array(n * k);
  const weighed = new Float64Array(n * k);
  let at = 0;
  for (const { n, w, back } of linears) {
    // Relative errors of outputs count, so that a linear of small outputs gets its share of `down`; errors of weights (power 0) are as they are.
    const size = power > 0 && linears.length > 1 ? Math.sqrt(sizeOf(la, w, gram, n, k, power)) || 1 : 1;
    for (let i = 0; i < w.length; i++, at++) {
      residual[at] = w[i] - back[i];
      weighed[at] = residual[at] / size;
    }
  }
  const found = whitenedSvd(la, weighed, gram, n, k, power, most, near?.factors);
  const rank = wanted(found, auto ? ENOUGH : 1);
  if (rank === 0) return NO_PATH;
  const right = round(down.format, Float32Array.from(found.right.subarray(0, rank * k)), rank, k);
  const left = refit(la, residual, gram, right.back, { n, k, rank, power });
  return { ...packPath(la, job, right, left, rank), factors: found };
}

/** No path: nothing was lost. */
export const NO_PATH: FittedPath = {
  rank: 0,
  packed: new Map(),
  reports: new Map(),
  beside() {
    throw new Error("there is no path");
  },
};

/** The path of a rounded `down` and of `left` f32 [n, rank], rows of all linears. */
export function packPath(la: Linalg, { down, linears, power, inputs }: PathJob, right: Rounded, left: Float32Array, rank: number): FittedPath {
  const k = down.shape[1] as number;
  const packed = new Map([[down.name, right.packed]]);
  const ups = new Map<string, Float32Array>();
  const beside = (weight: string) => {
    const up = ups.get(weight) as Float32Array;
    return la.scope(() => Float32Array.from(la.view(times(la, la.from(up, up.length / rank, rank), la.from(right.back, rank, k)))));
  };
  const reports = new Map<string, PathReport>();
  let row = 0;
  for (const [i, l] of linears.entries()) {
    const up = round(l.up.format, left.subarray(row * rank, (row + l.n) * rank), l.n, rank);
    packed.set(l.up.name, up.packed);
    ups.set(l.weight, up.back);
    row += l.n;
    const report = { down: down.name, rank, power, bytes: up.packed.length + (i === 0 ? right.packed.length : 0), fittedTo: hashOf(l.back) };
    reports.set(l.weight, inputs?.gram ? { ...report, output: outputOf(la, inputs, l, beside(l.weight)) } : report);
  }
  return { rank, packed, reports, beside };
}

/** ‖W S^power‖². */
function sizeOf(la: Linalg, w: Float32Array, gram: Float64Array, n: number, k: number, power: Power): number {
  return la.scope(() => {
    let weighed: Matrix = la.from(w, n, k);
    for (let i = 0; i < 2 * power; i++) weighed = times(la, weighed, la.from(gram, k, k));
    return la.view(weighed).reduce((sum, v, i) => sum + v * w[i], 0);
  });
}

/** The Gram matrix that the power asks for; none of it is read for power 0. */
export function gramOf({ down, power, inputs }: PathJob): Float64Array {
  if (power === 0) return new Float64Array(0);
  const gram = inputs?.gram;
  if (!gram) throw new SkintError("calibration.text", `${down.name} was not calibrated; give a text with --calibration`, { what: down.name });
  const bad = gram.findIndex((v) => !Number.isFinite(v));
  if (bad < 0) return gram;
  throw new SkintError("session.nan", `the inputs at ${inputs.point} are not finite in channel ${bad % inputs.k}; the weights before it are damaged`, { what: inputs.point });
}

/** Directions that take away less than this share are the noise of statistics. */
const NOISE = 1e-6;

/** The least rank that takes away so great a share, or all that are more than noise. */
function wanted({ captured, total, rank }: LowRank, share: number): number {
  let sum = 0;
  for (let r = 0; r < rank; r++) {
    if (captured[r] < NOISE * total || sum >= share * total) return r;
    sum += captured[r];
  }
  return rank;
}

export interface Rounded {
  readonly packed: Uint8Array;
  readonly back: Float32Array;
}

export function round(scheme: string, values: Float32Array, rows: number, width: number): Rounded {
  const packed = new Uint8Array(SCHEMES[scheme].bytes(rows, width));
  SCHEMES[scheme].encode(values, rows, width, packed);
  return { packed, back: SCHEMES[scheme].decode(packed, rows, width) };
}

/** A ridge under A G Aᵀ, as a share of its mean diagonal: rows of A that rounding made alike do not make it singular. */
const RIDGE = 1e-9;

/** B f32 [n, rank] with the least ‖(R − B A) S^power‖ for a given A: R G Aᵀ (A G Aᵀ)⁻¹ with G = S^(2·power). */
export function refit(la: Linalg, residual: Float64Array, gram: Float64Array, a: Float32Array, o: { n: number; k: number; rank: number; power: Power }): Float32Array {
  const { n, k, rank, power } = o;
  return la.scope(() => {
    const right = la.from(a, rank, k);
    let weighed: Matrix = right;
    for (let i = 0; i < 2 * power; i++) weighed = times(la, weighed, la.from(gram, k, k));
    const square = timesTransposed(la, weighed, right);
    const s = la.view(square);
    let mean = 0;
    for (let i = 0; i < rank; i++) mean += s[i * rank + i] / rank;
    for (let i = 0; i < rank; i++) s[i * rank + i] += RIDGE * mean || 1;
    cholesky(la, square);
    const inverse = invertLower(la, square);
    // R G Aᵀ L⁻ᵀ L⁻¹.
    const half = timesTransposed(la, timesTransposed(la, la.from(residual, n, k), weighed), inverse);
    return Float32Array.from(la.view(times(la, half, inverse)));
  });
}

/** SHA-256 of f32 weights, as `skint verify` and the goals make it of the file. */
export function hashOf(weights: Float32Array): string {
  const hash = sha256();
  hash.update(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength));
  return hash.digest();
}

/** Relative squared error of the outputs with what the path makes. */
function outputOf(la: Linalg, inputs: InputStatistics, { w, back, n }: PathLinear, made: Float32Array) {
  const output = new OutputError(la, inputs);
  output.add(
    w,
    back.map((v, i) => v + made[i]),
    n,
  );
  return output.result();
}
