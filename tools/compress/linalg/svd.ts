// The best factors of low rank for a matrix M [n, k] whose inputs have the Gram matrix S: D of rank r with the least ‖(M − D) S^power‖.
// Power 0 is the plain SVD, ½ the least output error on those inputs (EoRA), 1 weighs strong directions more on purpose (CorDA). The left
// singular vectors U of M S^power are the eigenvectors of M S^(2·power) Mᵀ, and D = U Uᵀ M: no root and no inverse of S, which may be singular.
import { type Eigen, eigenSymmetric, greatestEigen } from "./eigen.ts";
import type { Linalg, Matrix } from "./linalg.ts";
import { times, timesTransposed } from "./product.ts";

export type Power = 0 | 0.5 | 1;

export interface LowRank {
  /** D = left · right: f64 [n, r] and [r, k]; column i of left is as long as row i of right. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly rank: number;
  /** Squares of the greatest r singular values of M S^power, descending, and the sum of all: what D takes away, of what. */
  readonly captured: Float64Array;
  readonly total: number;
}

/** Up to this many rows all eigenvectors are computed; beyond, the greatest few. */
const WHOLE = 96;

/** @param m f64 [n, k] @param s f64 [k, k] @param rank at most; rows of zero energy are left out @param near `left` of a matrix like m, from which the search begins */
export function whitenedSvd(la: Linalg, m: Float64Array, s: Float64Array, n: number, k: number, power: Power, rank: number, near?: LowRank): LowRank {
  return la.scope(() => {
    const matrix = la.from(m, n, k);
    const gram = la.from(s, k, k);
    /** S^(2·power) of rows [count, k]. */
    const weigh = (rows: Matrix) => {
      let out = rows;
      for (let i = 0; i < 2 * power; i++) out = times(la, out, gram);
      return out;
    };
    /** Rows [count, n] times M S^(2·power) Mᵀ. */
    const apply = (rows: Matrix) => timesTransposed(la, weigh(times(la, rows, matrix)), matrix);
    const most = Math.min(rank, n, k);
    const eigen = n <= WHOLE ? eigenSymmetric(la.view(timesTransposed(la, weigh(matrix), matrix)).slice(), n) : greatestEigen(la, apply, n, most, near && turned(near, n));
    const weighed = la.view(weigh(matrix));
    const total = m.reduce((sum, v, i) => sum + v * weighed[i], 0);
    return factors(la, eigen, m, n, k, most, total);
  });
}

/** Columns of `left` as rows. */
const turned = ({ left, rank }: LowRank, n: number) => Float64Array.from({ length: n * rank }, (_, at) => left[(at % n) * rank + Math.floor(at / n)]);

function factors(la: Linalg, eigen: Eigen, m: Float64Array, n: number, k: number, most: number, total: number): LowRank {
  const captured = eigen.values.slice(0, most).filter((v) => v > 1e-14 * total);
  const rank = captured.length;
  const left = new Float64Array(n * rank);
  if (rank === 0) return { left, right: new Float64Array(0), rank, captured, total };
  const right = la.view(times(la, la.from(eigen.vectors.subarray(0, rank * n), rank, n), la.from(m, n, k))).slice();
  for (let i = 0; i < rank; i++) {
    const row = right.subarray(i * k, (i + 1) * k);
    const balance = Math.sqrt(Math.sqrt(row.reduce((sum, v) => sum + v * v, 0)));
    for (let j = 0; j < k; j++) row[j] /= balance;
    for (let r = 0; r < n; r++) left[r * rank + i] = eigen.vectors[i * n + r] * balance;
  }
  return { left, right, rank, captured, total };
}
