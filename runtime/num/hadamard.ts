// Orthonormal Hadamard transforms: x [k] times a matrix of ±1/√m, its own inverse but for the order-12 and order-20 parts, whose transposes are.
// Lengths: 2^p, 12·2^p, 20·2^p (40·2^p among them); any other length with a divisor 2^p ≥ 16 is cut into blocks of that length.
// All arithmetic is f32 in a fixed order, which the kernels keep: the part of 12 or 20 first, then butterflies, then one multiplication.
// The parts are Paley's construction (1933) over the integers modulo 11 and 19.

export interface Hadamard {
  /** Length of a block; the row is k / block of them. */
  readonly block: number;
  /** Order of the part that is no power of two: 1, 12 or 20. The block is it times a power of two. */
  readonly base: 1 | 12 | 20;
}

const BASES = [1, 12, 20] as const;
/** The least power of two that is worth a block, or that stands beside a part. */
const LEAST_BLOCK = 16;
const LEAST_POWER = 4;

const isPower = (v: number) => Number.isInteger(v) && v >= 1 && (v & (v - 1)) === 0;

/** The transform of rows of length k; undefined if there is none. */
export function hadamardOf(k: number): Hadamard | undefined {
  const base = BASES.find((b) => isPower(k / b) && k / b >= LEAST_POWER);
  if (base !== undefined) return { block: k, base };
  const block = k & -k;
  return block >= LEAST_BLOCK ? { block, base: 1 } : undefined;
}

const signs = new Map<number, Int8Array>();

/** The ±1 matrix of order 1, 12 or 20, row by row. */
export function hadamardSigns(base: Hadamard["base"]): Int8Array {
  const have = signs.get(base);
  if (have) return have;
  const q = base - 1;
  const squares = new Set(Array.from({ length: q }, (_, i) => (i * i) % q).slice(1));
  // Row and column 0 are ones, but for the column's first sign below; the rest is I minus the matrix of quadratic characters.
  const at = (i: number, j: number) => {
    if (i === 0) return 1;
    if (j === 0) return -1;
    if (i === j) return 1;
    return squares.has((j - i + q) % q) ? 1 : -1;
  };
  const made = Int8Array.from({ length: base * base }, (_, n) => at(Math.floor(n / base), n % base));
  signs.set(base, made);
  return made;
}

/** y = H x for one row f32 [k]; k must have a transform. */
export function hadamard(x: Float32Array): Float32Array {
  const { block, base } = hadamardOf(x.length) as Hadamard;
  const y = new Float32Array(x.length);
  for (let at = 0; at < x.length; at += block) transformBlock(x.subarray(at, at + block), y.subarray(at, at + block), base);
  return y;
}

function transformBlock(x: Float32Array, y: Float32Array, base: Hadamard["base"]): void {
  const length = x.length / base;
  const matrix = hadamardSigns(base);
  for (let i = 0; i < base; i++)
    for (let c = 0; c < length; c++) {
      let sum = matrix[i * base] * x[c];
      for (let j = 1; j < base; j++) sum = Math.fround(sum + matrix[i * base + j] * x[j * length + c]);
      y[i * length + c] = sum;
    }
  for (let half = 1; half < length; half *= 2)
    for (let i = 0; i < y.length; i++) {
      if (i & half) continue;
      const [a, b] = [y[i], y[i + half]];
      y[i] = a + b;
      y[i + half] = a - b;
    }
  const factor = Math.fround(1 / Math.sqrt(x.length));
  for (let i = 0; i < y.length; i++) y[i] *= factor;
}
