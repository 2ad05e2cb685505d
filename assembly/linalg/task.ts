// The record of one piece of linear algebra: the executor's two words, then addresses, sizes and row strides (in elements). Matrices are
// row-major. The module is for the tools, one build, SIMD and threads; no device loads it. tools/compress/linalg writes the records in this order.
// Sums run in an order that depends on shapes only: any number of threads gives the same bits. No fused multiply-add, for the same reason.

/** Never constructed: changetype<Task>(p). */
export class Task {
  kernel: u32;
  units: u32;
  a: usize;
  b: usize;
  c: usize;
  m: u32;
  n: u32;
  k: u32;
  lda: u32;
  ldb: u32;
  ldc: u32;
  flags: u32;
  alpha: f64;
}

/** In a product: c is written, not added to. */
export const WRITE: u32 = 1;
/** In a product: only elements on and below the diagonal of c are wanted; those above may or may not be computed. */
export const LOWER: u32 = 2;

/** A unit of a product is 16 rows and 64 columns of c: row groups follow one another, then the next columns. Multiples of a tile. */
export const UNIT_ROWS: u32 = 16;
export const UNIT_COLUMNS: u32 = 64;

/** Address of an f64 of a matrix with `stride` elements a row. */
export function at(matrix: usize, row: u32, stride: u32, column: u32): usize {
  return matrix + ((<usize>row * <usize>stride + <usize>column) << 3);
}
