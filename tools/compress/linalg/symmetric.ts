// All eigenvalues and eigenvectors of a symmetric matrix in f64: reflections bring it to three diagonals, rotations those to one
// (Golub and Van Loan 2013, §8.3). Errors are a few ulp of the greatest value. One thread, for n up to some thousands.

export interface Eigen {
  /** Descending. */
  readonly values: Float64Array;
  /** Row i is the eigenvector of values[i]: f64 [values, n]. */
  readonly vectors: Float64Array;
}

/** Of a symmetric a f64 [n, n]. */
export function eigenSymmetric(a: Float64Array, n: number): Eigen {
  const { diagonal, beside, basis } = tridiagonal(a, n);
  diagonalise(diagonal, beside, basis, n);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => diagonal[j] - diagonal[i] || i - j);
  const vectors = new Float64Array(n * n);
  order.forEach((i, to) => {
    vectors.set(basis.subarray(i * n, (i + 1) * n), to * n);
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors };
}

interface Tridiagonal {
  /** f64 [n] each; beside[i] stands between diagonal[i] and diagonal[i + 1]. */
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
  /** Rows Q of length 1 at right angles with Q a Qᵀ = T: f64 [n, n]. */
  readonly basis: Float64Array;
}

/** Householder's reflections, one for each column (algorithm 8.3.1). */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const m = a.slice();
  const [diagonal, beside, betas] = [0, 0, 0].map(() => new Float64Array(n));
  for (let j = 0; j + 1 < n; j++) {
    const u = m.subarray(j * n + j + 1, (j + 1) * n);
    const { beta, length } = reflection(u);
    beside[j] = length;
    betas[j] = beta;
    if (beta > 0) reflectBoth(m, n, j + 1, u, beta);
  }
  for (let i = 0; i < n; i++) diagonal[i] = m[i * n + i];
  return { diagonal, beside, basis: productOf(m, betas, n) };
}

/** Makes of x, in place, the u with (1 − β u uᵀ) x = (length, 0, 0, …) (§5.1.3). */
function reflection(x: Float64Array): { beta: number; length: number } {
  const rest = sumOfSquares(x.subarray(1));
  const [first] = x;
  if (rest === 0) return { beta: 0, length: first };
  const length = first > 0 ? -Math.sqrt(first * first + rest) : Math.sqrt(first * first + rest);
  x[0] = first - length;
  return { beta: 2 / (x[0] * x[0] + rest), length };
}

/** H m H of rows and columns `from` on, with H = 1 − β u uᵀ: m − u wᵀ − w uᵀ. */
function reflectBoth(m: Float64Array, n: number, from: number, u: Float64Array, beta: number): void {
  const w = new Float64Array(u.length);
  for (let i = 0; i < u.length; i++) w[i] = beta * dot(m.subarray((from + i) * n + from, (from + i + 1) * n), u);
  const along = (beta / 2) * dot(w, u);
  for (let i = 0; i < u.length; i++) w[i] -= along * u[i];
  for (let i = 0; i < u.length; i++) {
    const row = m.subarray((from + i) * n + from, (from + i + 1) * n);
    const [ui, wi] = [u[i], w[i]];
    for (let j = 0; j < row.length; j++) row[j] -= ui * w[j] + wi * u[j];
  }
}

/** The reflections' product, the last in front: u of the j-th stands in row j of m, behind the diagonal. */
function productOf(m: Float64Array, betas: Float64Array, n: number): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let j = n - 2; j >= 0; j--) {
    if (betas[j] === 0) continue;
    const u = m.subarray(j * n + j + 1, (j + 1) * n);
    for (let i = j + 1; i < n; i++) {
      const row = q.subarray(i * n + j + 1, (i + 1) * n);
      const along = betas[j] * dot(row, u);
      for (let c = 0; c < row.length; c++) row[c] -= along * u[c];
    }
  }
  return q;
}

/** So many steps may a value take; two are usual. */
const MOST_STEPS = 60;

/** Makes what stands beside the diagonal zero by implicit QR steps (algorithm 8.3.3); the rows of v turn along. */
function diagonalise(d: Float64Array, e: Float64Array, v: Float64Array, n: number): void {
  const settled = (i: number) => Math.abs(e[i]) <= Number.EPSILON * (Math.abs(d[i]) + Math.abs(d[i + 1])) || e[i] * e[i] === 0;
  for (let end = n - 1, steps = 0; end > 0; steps++) {
    if (settled(end - 1) || steps === MOST_STEPS) {
      e[end - 1] = 0;
      end--;
      steps = 0;
      continue;
    }
    let start = end - 1;
    while (start > 0 && !settled(start - 1)) start--;
    step(d, e, v, n, start, end);
  }
}

/** One step on the block [start, end], shifted by the eigenvalue of its last 2 × 2 that is nearer the last element (algorithm 8.3.2). */
function step(d: Float64Array, e: Float64Array, v: Float64Array, n: number, start: number, end: number): void {
  const half = (d[end - 1] - d[end]) / 2;
  const last = e[end - 1];
  const root = Math.sqrt(half * half + last * last);
  const shift = d[end] - (last * last) / (half + (half < 0 ? -root : root));
  let [x, z] = [d[start] - shift, e[start]];
  for (let i = start; i < end; i++) {
    const r = Math.sqrt(x * x + z * z);
    const [c, s] = r === 0 ? [1, 0] : [x / r, z / r];
    if (i > start) e[i - 1] = r;
    const [p, b, q] = [d[i], e[i], d[i + 1]];
    d[i] = c * c * p + 2 * c * s * b + s * s * q;
    d[i + 1] = s * s * p - 2 * c * s * b + c * c * q;
    e[i] = c * s * (q - p) + (c * c - s * s) * b;
    if (i + 1 < end) {
      [x, z] = [e[i], s * e[i + 1]];
      e[i + 1] *= c;
    }
    turn(v.subarray(i * n, (i + 1) * n), v.subarray((i + 1) * n, (i + 2) * n), c, s);
  }
}

/** Rows a and b become c a + s b and c b − s a. */
function turn(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    a[i] = c * x + s * y;
    b[i] = c * y - s * x;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const sumOfSquares = (x: Float64Array) => dot(x, x);
