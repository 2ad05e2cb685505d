// Gram matrix: c f64 [kp, ldc] += XᵀX for m rows in panels a f32 [kp / 8][m][8] (panels.kernel.ts); the upper triangle in steps of 8 columns.
// Unit i is panel i against itself and all behind it. Products of 64 rows are summed in f32, those sums in f64: an element's error is at
// most 65 · 2^-24 · Σ |x_i x_j| (3.9e-6 of that sum; rounding errors average out to a fiftieth of it), whatever the number of rows.
import { Task } from "./task";

const RUN: u32 = 64;
const ROW_BYTES: usize = 32;

export function kernel(p: usize, unit: u32, units: u32): void {
  const t = changetype<Task>(p);
  const panel: usize = <usize>t.m * ROW_BYTES;
  const stride: usize = (<usize>t.ldc) << 3;
  const mine = t.a + <usize>unit * panel;
  for (let j = unit; j < units; j++) {
    const other = t.a + <usize>j * panel;
    const c = t.c + <usize>unit * 8 * stride + ((<usize>j) << 6);
    for (let first: u32 = 0; first < t.m; first += RUN) {
      const rows = min(RUN, t.m - first);
      const skip: usize = <usize>first * ROW_BYTES;
      tile(mine + skip, other + skip, rows, c, stride);
      tile(mine + skip + 16, other + skip, rows, c + 4 * stride, stride);
    }
  }
}

/** Four columns x against eight columns y. */
function tile(x: usize, y: usize, rows: u32, c: usize, stride: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  let d0 = a0;
  let d1 = a0;
  for (const end = x + <usize>rows * ROW_BYTES; x < end; x += ROW_BYTES) {
    const y0 = v128.load(y);
    const y1 = v128.load(y, 16);
    let s = v128.load32_splat(x);
    a0 = f32x4.add(a0, f32x4.mul(s, y0));
    a1 = f32x4.add(a1, f32x4.mul(s, y1));
    s = v128.load32_splat(x, 4);
    b0 = f32x4.add(b0, f32x4.mul(s, y0));
    b1 = f32x4.add(b1, f32x4.mul(s, y1));
    s = v128.load32_splat(x, 8);
    c0 = f32x4.add(c0, f32x4.mul(s, y0));
    c1 = f32x4.add(c1, f32x4.mul(s, y1));
    s = v128.load32_splat(x, 12);
    d0 = f32x4.add(d0, f32x4.mul(s, y0));
    d1 = f32x4.add(d1, f32x4.mul(s, y1));
    y += ROW_BYTES;
  }
  addRow(c, a0, a1);
  addRow(c + stride, b0, b1);
  addRow(c + 2 * stride, c0, c1);
  addRow(c + 3 * stride, d0, d1);
}

/** Eight f32 are added to eight f64. */
function addRow(c: usize, lo: v128, hi: v128): void {
  addFour(c, lo);
  addFour(c + 32, hi);
}

function addFour(c: usize, v: v128): void {
  v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(v)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.promote_low_f32x4(v128.shuffle<f64>(v, v, 1, 1))), 16);
}
