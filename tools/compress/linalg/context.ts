// A matrix W [n, k] taken apart by what its inputs make of it (CorDA, arXiv 2406.05223): with C the damped mean of x xᵀ, W C = U s Vᵀ, and
// W is the sum of its components uᵢ uᵢᵀ W = uᵢ sᵢ vᵢᵀ C⁻¹, the strongest first. C itself and not its root: strong inputs count twice on purpose.
import { cholesky, invertLower } from "./factor.ts";
import type { Linalg, Matrix } from "./linalg.ts";
import { times, timesTransposed } from "./product.ts";
import { balanced, type LowRank } from "./svd.ts";
import { eigenSymmetric } from "./symmetric.ts";

/** Which components: the strongest (instruction-previewed) or the weakest (knowledge-preserved) of all min(n, k). */
export const PARTS = ["ipa", "kpa"] as const;
export type Part = (typeof PARTS)[number];

/** Share of the mean diagonal that is added to the diagonal. */
const DAMPING = 0.01;

/**
 * S with its diagonal damped, f64 [k, k]. The paper doubles the damping until ‖C C⁻¹ − 1‖ < 0.05; in f64 the first always does, as no eigenvalue
 * of C is more than k / DAMPING + 1 times another. The mean of inputs that are all zero counts as 1.
 */
export function damped(s: Float64Array, k: number): Float64Array {
  let mean = 0;
  for (let i = 0; i < k; i++) mean += s[i * k + i] / k;
  return s.map((v, at) => (at % (k + 1) === 0 ? v + DAMPING * (mean || 1) : v));
}

/**
 * Factors of the sum of `rank` components of w f64 [n, k]. Their `captured` are squares of singular values of W C, in order from the strongest of the
 * part; `total` is the sum of all squares.
 * @param c f64 [k, k], positive definite: see `damped` @param rank at most min(n, k)
 */
export function componentsOf(la: Linalg, w: Float64Array, c: Float64Array, n: number, k: number, part: Part, rank: number): LowRank {
  return la.scope(() => {
    const matrix = la.from(w, n, k);
    const context = la.from(c, k, k);
    const weighed = times(la, matrix, context);
    const least = Math.min(n, k);
    // The lesser side's eigenvectors: none of them belongs to the directions that W does not have.
    const products = n <= k ? timesTransposed(la, weighed, weighed) : times(la, context, times(la, transposed(la, matrix), weighed));
    const { values, vectors } = eigenSymmetric(la.view(products).slice(), least);
    const from = part === "ipa" ? 0 : least - rank;
    const chosen = la.from(vectors.subarray(from * least, (from + rank) * least), rank, least);
    const [left, right] = n <= k ? [chosen, times(la, chosen, matrix)] : [timesTransposed(la, chosen, weighed), timesInverse(la, chosen, context)];
    const captured = values.slice(from, from + rank).map((v) => Math.max(0, v));
    return { ...balanced(la.view(left), la.view(right), n, k, rank), captured, total: values.reduce((sum, v) => sum + v, 0) };
  });
}

function transposed(la: Linalg, m: Matrix): Matrix {
  const t = la.matrix(m.cols, m.rows);
  const [from, to] = [la.view(m), la.view(t)];
  for (let i = 0; i < m.rows; i++) for (let j = 0; j < m.cols; j++) to[j * m.rows + i] = from[i * m.cols + j];
  return t;
}

/** rows · C⁻¹ by the factor of C, which is replaced by it. */
function timesInverse(la: Linalg, rows: Matrix, c: Matrix): Matrix {
  cholesky(la, c);
  const inverse = invertLower(la, c);
  return times(la, timesTransposed(la, rows, inverse), inverse);
}
