// Eigenvalues and eigenvectors of symmetric matrices in f64: all of one, the greatest few of one that is only known by its products.
import { createRandom } from "../../../runtime/num/random.ts";
import { cholesky, invertLower } from "./factor.ts";
import type { Linalg, Matrix } from "./linalg.ts";
import { times, timesTransposed } from "./product.ts";
import { type Eigen, eigenSymmetric } from "./symmetric.ts";

/** Vectors beside those that are wanted: they take in what is near the last one. */
const SPARE = 8;
const MOST_TURNS = 100;
/** Iteration ends when the wanted values' sum grows by less than this share. */
const SETTLED = 1e-6;

/**
 * The `rank` greatest of a positive semidefinite operator on n numbers: subspace iteration from seeded random vectors with Rayleigh-Ritz
 * (Halko, Martinsson and Tropp 2011). The values are those of the vectors returned, wherever iteration ended. `apply` maps rows [rows, n] to
 * their images.
 * @param near rows f64 [any, n] near the wanted ones, to begin with instead of random vectors: fewer turns
 */
export function greatestEigen(la: Linalg, apply: (rows: Matrix) => Matrix, n: number, rank: number, near: Float64Array = new Float64Array(0)): Eigen {
  const count = Math.min(n, rank + SPARE);
  const random = createRandom(1);
  const start = Float64Array.from({ length: count * n }, () => random.f64() - 0.5);
  start.set(near.subarray(0, count * n));
  return la.scope(() => {
    const basis = la.from(start, count, n);
    orthonormalise(la, basis);
    for (let turns = 1, before = -1; ; turns++) {
      const { values, settled } = la.scope(() => {
        const images = apply(basis);
        const small = la.view(timesTransposed(la, basis, images)).slice();
        const ritz = eigenSymmetric(
          small.map((v, at) => (v + small[(at % count) * count + Math.floor(at / count)]) / 2),
          count,
        );
        const sum = ritz.values.subarray(0, rank).reduce((a, b) => a + b, 0);
        const settled = turns === MOST_TURNS || sum - before <= SETTLED * sum;
        before = sum;
        la.view(basis).set(la.view(times(la, la.from(ritz.vectors, count, count), settled ? basis : images)));
        return { values: ritz.values, settled };
      });
      orthonormalise(la, basis);
      if (settled) return { values: values.slice(0, rank), vectors: la.view(basis).slice(0, rank * n) };
    }
  });
}

/** Makes rows of length 1 at right angles: twice by the Cholesky factor of their products, or row by row where they depend on each other. */
function orthonormalise(la: Linalg, rows: Matrix): void {
  for (let again = 0; again < 2; again++) {
    scaleRows(la.view(rows), rows.rows, rows.cols);
    const done = la.scope(() => {
      const products = timesTransposed(la, rows, rows);
      if (cholesky(la, products) >= 0) return false;
      la.view(rows).set(la.view(times(la, invertLower(la, products), rows)));
      return true;
    });
    if (!done) {
      gramSchmidt(la.view(rows), rows.rows, rows.cols);
      return;
    }
  }
}

function scaleRows(rows: Float64Array, count: number, n: number): void {
  for (let i = 0; i < count; i++) {
    const length = Math.sqrt(dot(rows, i, i, n));
    for (let at = i * n; at < (i + 1) * n; at++) rows[at] *= length > 0 ? 1 / length : 0;
  }
}

function dot(rows: Float64Array, i: number, j: number, n: number): number {
  let sum = 0;
  for (let at = 0; at < n; at++) sum += rows[i * n + at] * rows[j * n + at];
  return sum;
}

/** Twice, in place; a row that depends on those before it becomes zero. */
function gramSchmidt(rows: Float64Array, count: number, n: number): void {
  for (let i = 0; i < count; i++) {
    const was = Math.sqrt(dot(rows, i, i, n));
    for (let again = 0; again < 2; again++)
      for (let j = 0; j < i; j++) {
        const along = dot(rows, i, j, n);
        for (let at = 0; at < n; at++) rows[i * n + at] -= along * rows[j * n + at];
      }
    const length = Math.sqrt(dot(rows, i, i, n));
    const scale = length > 1e-14 * was ? 1 / length : 0;
    for (let at = 0; at < n; at++) rows[i * n + at] *= scale;
  }
}
