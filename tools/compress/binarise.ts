// PTQ1.61's learned scales (Zhao et al. 2025) without a trainer: alternating least squares on the outputs. Columns that are not salient stand for
// r_j (p_i s_ij + q_i), s = ±1 the sign of the weight less its row's mean; p and q of a row have a closed form for given r, r of all rows that
// share an input one for given p and q, with H = mean of x xᵀ as the metric. Signs never change.
import { type Columns, greatestColumns } from "../../runtime/graph/columns.ts";
import { f16ToF32, f32ToF16 } from "../../runtime/num/half.ts";
import type { InputStatistics } from "./calibrate/statistics.ts";
import { cholesky } from "./linalg/factor.ts";
import type { Linalg, Matrix } from "./linalg/linalg.ts";
import { times, timesTransposed } from "./linalg/product.ts";

/** Pulls factors towards 1, as a share of the mean diagonal; multiplied while the system is not positive definite. */
const RIDGE = 1e-6;
const RIDGE_STEP = 100;
/** Factors beyond these would crush the others when activations become int8. */
const LEAST_FACTOR = 0.05;
const MOST_FACTOR = 20;

export interface BinariseOptions {
  readonly rounds: number;
  /** Salient are the columns of the greatest mean |x| · mean |w|; else of the greatest mean |x|. */
  readonly byProduct: boolean;
}

/** Columns for rows w f32 [n, k] that share an input: which are salient, and factors that leave the least output error. */
export function columnsFor(la: Linalg, w: Float32Array, n: number, inputs: InputStatistics, o: BinariseOptions): Columns {
  const { k } = inputs;
  const mean = inputs.channels?.mean as Float32Array;
  const magnitude = new Float64Array(k);
  if (o.byProduct) for (let i = 0; i < w.length; i++) magnitude[i % k] += Math.abs(w[i]) / n;
  const { salient, factors } = greatestColumns(Float64Array.from(mean, (v, i) => (o.byProduct ? v * magnitude[i] : v)));
  const others = Uint32Array.from(salient.keys()).filter((i) => !salient[i]);
  if (o.rounds === 0 || others.length === 0) return { salient, factors };
  const rows = new Float64Array(n * others.length);
  for (let r = 0; r < n; r++) for (let j = 0; j < others.length; j++) rows[r * others.length + j] = w[r * k + others[j]];
  return { salient, factors: learn(la, rows, n, partOf(inputs.gram as Float64Array, k, others), o.rounds) };
}

/** Rows and columns of a Gram matrix. */
export function partOf(gram: Float64Array, k: number, columns: Uint32Array): Float64Array {
  const m = columns.length;
  return Float64Array.from({ length: m * m }, (_, at) => gram[columns[Math.floor(at / m)] * k + columns[at % m]]);
}

function learn(la: Linalg, rows: Float64Array, n: number, h: Float64Array, rounds: number): Float32Array {
  const m = Math.sqrt(h.length);
  let factors = new Float64Array(m).fill(1);
  la.scope(() => {
    const metric = la.from(h, m, m);
    const signs = la.from(signsOf(rows, n, m), n, m);
    const weighed = times(la, la.from(rows, n, m), metric);
    for (let round = 0; round < rounds; round++) factors = la.scope(() => factorsFor(la, signs, weighed, h, fitRows(la, signs, ...scaled(la, weighed, metric, factors))));
  });
  return Float32Array.from(factors, (f) => f16ToF32(f32ToF16(f)));
}

/** ±1: is a weight at least its row's mean? */
export function signsOf(rows: ArrayLike<number>, n: number, m: number): Float64Array {
  const signs = new Float64Array(n * m);
  for (let r = 0; r < n; r++) {
    let mean = 0;
    for (let j = 0; j < m; j++) mean += rows[r * m + j] / m;
    for (let j = 0; j < m; j++) signs[r * m + j] = rows[r * m + j] >= mean ? 1 : -1;
  }
  return signs;
}

/** Rows times the metric, and the metric, in units of activations that are multiplied with the factors. */
function scaled(la: Linalg, weighed: Matrix, metric: Matrix, factors: Float64Array): [Matrix, Matrix] {
  const m = factors.length;
  const out: [Matrix, Matrix] = [la.matrix(weighed.rows, m), la.matrix(m, m)];
  const [from, to] = [la.view(weighed), la.view(out[0])];
  for (let i = 0; i < to.length; i++) to[i] = from[i] * factors[i % m];
  const [h, d] = [la.view(metric), la.view(out[1])];
  for (let i = 0; i < d.length; i++) d[i] = h[i] * factors[i % m] * factors[Math.floor(i / m)];
  return out;
}

export interface RowScales {
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/** p and q of each row with the least ‖v − (p s + q)‖ in the metric H. @param weighed rows v times H [n, m] */
export function fitRows(la: Linalg, signs: Matrix, weighed: Matrix, metric: Matrix): RowScales {
  const { rows: n, cols: m } = signs;
  const p = new Float64Array(n);
  const q = new Float64Array(n);
  la.scope(() => {
    const [s, v, sh, h] = [la.view(signs), la.view(weighed), la.view(times(la, signs, metric)), la.view(metric)];
    const oo = h.reduce((sum, x) => sum + x, 0);
    for (let r = 0; r < n; r++) {
      let [ss, so, sv, ov] = [0, 0, 0, 0];
      for (let i = r * m; i < (r + 1) * m; i++) {
        ss += sh[i] * s[i];
        so += sh[i];
        sv += v[i] * s[i];
        ov += v[i];
      }
      const det = ss * oo - so * so;
      const both = det > 1e-9 * ss * oo;
      p[r] = both ? (sv * oo - ov * so) / det : ss > 0 ? sv / ss : 0;
      q[r] = both ? (ov * ss - sv * so) / det : 0;
    }
  });
  return { p, q };
}

/** Factors r with the least sum over rows of ‖w − r ∘ l‖ in the metric H, l = p s + q: (LᵀL ∘ H) r = Σ l ∘ (H w). */
function factorsFor(la: Linalg, signs: Matrix, weighed: Matrix, h: Float64Array, { p, q }: RowScales): Float64Array<ArrayBuffer> {
  const { rows: n, cols: m } = signs;
  const [s, v] = [la.view(signs), la.view(weighed)];
  const levels = new Float64Array(m * n);
  const right = new Float64Array(m);
  for (let r = 0; r < n; r++)
    for (let j = 0; j < m; j++) {
      const l = p[r] * s[r * m + j] + q[r];
      levels[j * n + r] = l;
      right[j] += l * v[r * m + j];
    }
  const turned = la.from(levels, m, n);
  const system = la.view(timesTransposed(la, turned, turned)).map((x, at) => x * h[at]);
  let diagonal = 0;
  for (let j = 0; j < m; j++) diagonal += system[j * m + j] / m;
  for (let ridge = RIDGE * diagonal || 1; ; ridge *= RIDGE_STEP) {
    const solved = la.scope(() => solve(la, system, right, ridge));
    if (solved) return solved.map((f) => Math.max(LEAST_FACTOR, Math.min(MOST_FACTOR, f)));
  }
}

/** (A + ridge) x = b + ridge, so that what A says nothing about is 1; undefined where that is not positive definite. */
function solve(la: Linalg, a: Float64Array, b: Float64Array, ridge: number): Float64Array<ArrayBuffer> | undefined {
  const m = b.length;
  const factor = la.from(a, m, m);
  const l = la.view(factor);
  for (let j = 0; j < m; j++) l[j * m + j] += ridge;
  if (cholesky(la, factor) >= 0) return undefined;
  const x = Float64Array.from(b, (v) => v + ridge);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) x[i] -= l[i * m + j] * x[j];
    x[i] /= l[i * m + i];
  }
  for (let i = m - 1; i >= 0; i--) {
    x[i] /= l[i * m + i];
    for (let j = 0; j < i; j++) x[j] -= l[i * m + j] * x[i];
  }
  return x;
}
