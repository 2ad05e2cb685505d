// c f64 [m, n] += alpha · a [m, k] · b [n, k]ᵀ. Tiles of four rows and two columns, dot products in two lanes.
import { at, LOWER, Task, UNIT_COLUMNS, UNIT_ROWS, WRITE } from "./task";

export function kernel(p: usize, unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  const groups = (t.m + UNIT_ROWS - 1) / UNIT_ROWS;
  const first = (unit % groups) * UNIT_ROWS;
  const left = (unit / groups) * UNIT_COLUMNS;
  const end = min(first + UNIT_ROWS, t.m);
  for (let i = first; i < end; i += 4) {
    const right = min(left + UNIT_COLUMNS, t.flags & LOWER ? min(i + 4, t.n) : t.n);
    let j = left;
    if (i + 4 <= end) for (; j + 2 <= right; j += 2) tile(t, i, j);
    for (; j < right; j++) for (let r = i; r < min(i + 4, end); r++) put(t, r, j, dot(at(t.a, r, t.lda, 0), at(t.b, j, t.ldb, 0), t.k));
  }
}

function put(t: Task, row: u32, column: u32, sum: f64): void {
  const c = at(t.c, row, t.ldc, column);
  const before = t.flags & WRITE ? 0.0 : load<f64>(c);
  store<f64>(c, before + t.alpha * sum);
}

function total(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

function tile(t: Task, i: u32, j: u32): void {
  let a0 = at(t.a, i, t.lda, 0);
  const step: usize = (<usize>t.lda) << 3;
  let b0 = at(t.b, j, t.ldb, 0);
  const next: usize = (<usize>t.ldb) << 3;
  let s00 = f64x2.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  const end = a0 + ((<usize>(t.k & ~1)) << 3);
  for (; a0 < end; a0 += 16) {
    const y0 = v128.load(b0);
    const y1 = v128.load(b0 + next);
    let x = v128.load(a0);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load(a0 + step);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load(a0 + 2 * step);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load(a0 + 3 * step);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
    b0 += 16;
  }
  const odd = t.k & 1;
  put(t, i, j, total(s00) + last(odd, a0, b0));
  put(t, i, j + 1, total(s01) + last(odd, a0, b0 + next));
  put(t, i + 1, j, total(s10) + last(odd, a0 + step, b0));
  put(t, i + 1, j + 1, total(s11) + last(odd, a0 + step, b0 + next));
  put(t, i + 2, j, total(s20) + last(odd, a0 + 2 * step, b0));
  put(t, i + 2, j + 1, total(s21) + last(odd, a0 + 2 * step, b0 + next));
  put(t, i + 3, j, total(s30) + last(odd, a0 + 3 * step, b0));
  put(t, i + 3, j + 1, total(s31) + last(odd, a0 + 3 * step, b0 + next));
}

/** The product of the last elements where k is odd. */
function last(odd: u32, x: usize, y: usize): f64 {
  return odd ? load<f64>(x) * load<f64>(y) : 0;
}

/** The same sum, in the same order, as a tile's. */
export function dot(x: usize, y: usize, k: u32): f64 {
  let s = f64x2.splat(0);
  const end = x + ((<usize>(k & ~1)) << 3);
  for (; x < end; x += 16) {
    s = f64x2.add(s, f64x2.mul(v128.load(x), v128.load(y)));
    y += 16;
  }
  return total(s) + last(k & 1, x, y);
}
