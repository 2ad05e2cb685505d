// The best factors of low rank for a matrix M [n, k] whose inputs have the Gram matrix S: D of rank r with the least ‖(M − D) S^power‖.
// Power 0 is the plain SVD, ½ the least output error on those inputs (EoRA), 1 weighs strong directions more on purpose (CorDA). The left
// singular vectors U of M S^power are the eigenvectors of M S^(2·power) Mᵀ, and D = U Uᵀ M: no root and no inverse of S, which may be singular.
import { greatestEigen } from "./eigen.ts";
import type { Linalg, Matrix } from "./linalg.ts";
import { times, timesTransposed } from "./product.ts";
import { type Eigen, eigenSymmetric } from "./symmetric.ts";

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
  if (rank === 0) return { left: new Float64Array(0), right: new Float64Array(0), rank, captured, total };
  const left = eigen.vectors.subarray(0, rank * n);
  const right = times(la, la.from(left, rank, n), la.from(m, n, k));
  return { ...balanced(left, la.view(right), n, k, rank), captured, total };
}

/** Factors with column i of the left one as long as row i of the right one. @param left its columns as rows f64 [rank, n] @param right f64 [rank, k] */
export function balanced(left: Float64Array, right: Float64Array, n: number, k: number, rank: number): Pick<LowRank, "left" | "right" | "rank"> {
  const length = (v: Float64Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  const factor = Float64Array.from({ length: rank }, (_, i) => {
    const [a, b] = [length(left.subarray(i * n, (i + 1) * n)), length(right.subarray(i * k, (i + 1) * k))];
    return a > 0 && b > 0 ? Math.sqrt(b / a) : 1;
  });
  return {
    left: Float64Array.from({ length: n * rank }, (_, at) => left[(at % rank) * n + Math.floor(at / rank)] * factor[at % rank]),
    right: right.map((v, at) => v / factor[Math.floor(at / k)]),
    rank,
  };
}
