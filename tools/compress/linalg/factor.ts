// Factors of symmetric positive definite matrices: Cholesky in blocks of columns, the inverse of a triangle, and what GPTQ asks for.
import type { Linalg, Matrix, Task } from "./linalg.ts";
import { LOWER, part, timesTask, timesTransposedTask, unitsOf, WRITE } from "./product.ts";

const BLOCK = 48;

/**
 * A = L Lᵀ in place: the lower triangle of `a` [n, n] is replaced by L, what is above it is left as it was or spoilt.
 * Returns the row whose pivot was not above zero (the matrix is not positive definite, or not finite), or -1.
 */
export function cholesky(la: Linalg, a: Matrix): number {
  return la.scope(() => {
    const status = la.floats(1).at;
    la.word(status)[0] = 0;
    la.run(choleskyTasks(a, status));
    return la.word(status)[0] - 1;
  });
}

/** Right-looking: each block is factored, the rows below it solved, and their products taken from what is left. */
function choleskyTasks(a: Matrix, status: number): Task[] {
  const n = a.rows;
  const tasks: Task[] = [];
  for (let i = 0; i < n; i += BLOCK) {
    const width = Math.min(BLOCK, n - i);
    const left = n - i - width;
    const diagonal = part(a, i, i, width, width);
    tasks.push({ kernel: "potf2", units: 1, a: diagonal.at, c: status, m: i, n: width, lda: a.stride });
    if (left === 0) break;
    const below = part(a, i + width, i, left, width);
    tasks.push({ kernel: "trsm", units: unitsOf(left), a: below.at, b: diagonal.at, m: left, n: width, lda: a.stride, ldb: a.stride });
    tasks.push(timesTransposedTask(below, below, part(a, i + width, i + width, left, left), -1, LOWER));
  }
  return tasks;
}

/** Inverse of the lower triangle of `l` [n, n] as a new matrix, zero above its diagonal. */
export function invertLower(la: Linalg, l: Matrix): Matrix {
  const n = l.rows;
  const x = la.matrix(n, n);
  la.scope(() => {
    const middle = la.matrix(BLOCK, n);
    const tasks: Task[] = [{ kernel: "trtri", units: Math.ceil(n / BLOCK), a: l.at, c: x.at, m: n, k: BLOCK, lda: l.stride, ldc: x.stride }];
    for (let i = BLOCK; i < n; i += BLOCK) {
      const rows = Math.min(BLOCK, n - i);
      // X[i] = -X[i, i] · (L[i, before] · X[before]).
      const product = part(middle, 0, 0, rows, i);
      tasks.push(timesTask(part(l, i, 0, rows, i), part(x, 0, 0, i, i), product, 1, WRITE));
      tasks.push(timesTask(part(x, i, i, rows, rows), product, part(x, i, 0, rows, i), -1, WRITE));
    }
    la.run(tasks);
  });
  return x;
}

/**
 * U, upper triangular, with UᵀU = H⁻¹, as a new matrix [n, n]; undefined where H is not positive definite. H is given by its elements.
 * Turning rows and columns around makes of the factor H = R Rᵀ, R upper, an ordinary Cholesky factor; U is R⁻¹, so H⁻¹ itself is never formed.
 */
export function inverseUpperFactor(la: Linalg, n: number, h: (row: number, col: number) => number): Matrix | undefined {
  const u = la.matrix(n, n);
  const done = la.scope(() => {
    const turned = la.matrix(n, n);
    const t = la.view(turned);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) t[i * n + j] = h(n - 1 - i, n - 1 - j);
    if (cholesky(la, turned) >= 0) return false;
    la.view(u).set(la.view(invertLower(la, turned)).reverse());
    return true;
  });
  return done ? u : undefined;
}
