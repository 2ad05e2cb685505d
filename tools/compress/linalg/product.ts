// Products of matrices. The flags are those of assembly/linalg/task.ts.
import type { Linalg, Matrix, Task } from "./linalg.ts";

export const WRITE = 1;
export const LOWER = 2;
const UNIT_ROWS = 16;
const UNIT_COLUMNS = 64;

/** Groups of rows that kernels take as a unit. */
export const unitsOf = (rows: number) => Math.ceil(rows / UNIT_ROWS);

/** Rows [row, row + rows) and columns [col, col + cols) of a matrix, where they stand. */
export function part(m: Matrix, row: number, col: number, rows: number, cols: number): Matrix {
  return { at: m.at + 8 * (row * m.stride + col), rows, cols, stride: m.stride };
}

function record(kernel: "gemmnn" | "gemmnt", a: Matrix, b: Matrix, c: Matrix, alpha: number, flags: number): Task {
  return {
    kernel,
    units: unitsOf(c.rows) * Math.ceil(c.cols / UNIT_COLUMNS),
    a: a.at,
    b: b.at,
    c: c.at,
    m: c.rows,
    n: c.cols,
    k: a.cols,
    lda: a.stride,
    ldb: b.stride,
    ldc: c.stride,
    flags,
    alpha,
  };
}

/** c += alpha · a · b, or c = with the flag WRITE; a [m, k], b [k, n]. */
export function timesTask(a: Matrix, b: Matrix, c: Matrix, alpha: number, flags = 0): Task {
  return record("gemmnn", a, b, c, alpha, flags);
}

/** c += alpha · a · bᵀ, or c = with the flag WRITE; a [m, k], b [n, k]. With LOWER only what is on and below the diagonal is sure to be made. */
export function timesTransposedTask(a: Matrix, b: Matrix, c: Matrix, alpha: number, flags = 0): Task {
  return record("gemmnt", a, b, c, alpha, flags);
}

/** a · b, as a new matrix. */
export function times(la: Linalg, a: Matrix, b: Matrix): Matrix {
  const c = la.matrix(a.rows, b.cols);
  la.run([timesTask(a, b, c, 1, WRITE)]);
  return c;
}

/** a · bᵀ, as a new matrix. */
export function timesTransposed(la: Linalg, a: Matrix, b: Matrix): Matrix {
  const c = la.matrix(a.rows, b.rows);
  la.run([timesTransposedTask(a, b, c, 1, WRITE)]);
  return c;
}

/** Σ over rows of w S wᵀ for a symmetric S: what a weight matrix, or its error, does to inputs whose Gram matrix is S. */
export function energy(la: Linalg, w: Matrix, s: Matrix): number {
  return la.scope(() => {
    const ws = la.view(times(la, w, s));
    const v = la.view(w);
    let sum = 0;
    for (let i = 0; i < v.length; i++) sum += v[i] * ws[i];
    return sum;
  });
}
