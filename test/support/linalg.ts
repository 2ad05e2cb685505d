// Slow, obvious f64 matrices for judging linear algebra: plain arrays, row-major.

/** a [m, k] · b [k, n]. */
export function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) c[i * n + j] += a[i * k + p] * b[p * n + j];
  return c;
}

/** Transpose of a [m, n]. */
export function turned(a: ArrayLike<number>, m: number, n: number): Float64Array {
  const t = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) t[j * m + i] = a[i * n + j];
  return t;
}

/** XᵀX of x [t, k]. */
export function gramOf(x: ArrayLike<number>, t: number, k: number): Float64Array {
  return product(turned(x, t, k), x, k, t, k);
}

export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

/** sin and cos of the place: the matrices of linalg-oracle.py. */
export function wave(rows: number, cols: number, phase: number): Float64Array {
  return Float64Array.from({ length: rows * cols }, (_, at) => {
    const [i, j] = [Math.floor(at / cols), at % cols];
    return Math.sin(1.3 * i + 0.7 * j + phase) + Math.cos(0.2 * i * j + phase);
  });
}

/** Rows whose columns depend on each other: normal numbers mixed by a random matrix, as activations are. */
export function correlated(t: number, k: number, draw: (n: number, seed: number) => Float32Array, seed: number): Float32Array {
  const hidden = Math.max(1, k >> 1);
  const mix = draw(hidden * k, seed + 1);
  const x = product(draw(t * hidden, seed), mix, t, hidden, k);
  const own = draw(t * k, seed + 2);
  return Float32Array.from(x, (v, i) => v / Math.sqrt(hidden) + 0.1 * own[i]);
}
