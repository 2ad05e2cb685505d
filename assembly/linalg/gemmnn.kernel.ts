// c f64 [m, n] += alpha · a [m, k] · b [k, n]. Tiles of four rows and four columns; a sum runs over k in order.
import { at, Task, UNIT_COLUMNS, UNIT_ROWS, WRITE } from "./task";

export function kernel(p: usize, unit: u32, _units: u32): void {
  const t = changetype<Task>(p);
  const groups = (t.m + UNIT_ROWS - 1) / UNIT_ROWS;
  const first = (unit % groups) * UNIT_ROWS;
  const left = (unit / groups) * UNIT_COLUMNS;
  const end = min(first + UNIT_ROWS, t.m);
  const right = min(left + UNIT_COLUMNS, t.n);
  for (let i = first; i < end; i += 4) {
    let j = left;
    if (i + 4 <= end) for (; j + 4 <= right; j += 4) tile(t, i, j);
    for (; j < right; j++) for (let r = i; r < min(i + 4, end); r++) element(t, r, j);
  }
}

function element(t: Task, row: u32, column: u32): void {
  let a = at(t.a, row, t.lda, 0);
  let b = at(t.b, 0, 0, column);
  const step: usize = (<usize>t.ldb) << 3;
  let sum: f64 = 0;
  for (let i: u32 = 0; i < t.k; i++) {
    sum += load<f64>(a) * load<f64>(b);
    a += 8;
    b += step;
  }
  const c = at(t.c, row, t.ldc, column);
  const before = t.flags & WRITE ? 0.0 : load<f64>(c);
  store<f64>(c, before + t.alpha * sum);
}

function tile(t: Task, i: u32, j: u32): void {
  let a = at(t.a, i, t.lda, 0);
  const lda: usize = (<usize>t.lda) << 3;
  let b = at(t.b, 0, 0, j);
  const ldb: usize = (<usize>t.ldb) << 3;
  let s00 = f64x2.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (const end = a + ((<usize>t.k) << 3); a < end; a += 8) {
    const y0 = v128.load(b);
    const y1 = v128.load(b, 16);
    let x = v128.load64_splat(a);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load64_splat(a + lda);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load64_splat(a + 2 * lda);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load64_splat(a + 3 * lda);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
    b += ldb;
  }
  const c = at(t.c, i, t.ldc, j);
  const ldc: usize = (<usize>t.ldc) << 3;
  put(t, c, s00, s01);
  put(t, c + ldc, s10, s11);
  put(t, c + 2 * ldc, s20, s21);
  put(t, c + 3 * ldc, s30, s31);
}

function put(t: Task, c: usize, lo: v128, hi: v128): void {
  const alpha = f64x2.splat(t.alpha);
  const write = t.flags & WRITE;
  const zero = f64x2.splat(0);
  v128.store(c, f64x2.add(write ? zero : v128.load(c), f64x2.mul(alpha, lo)));
  v128.store(c, f64x2.add(write ? zero : v128.load(c, 16), f64x2.mul(alpha, hi)), 16);
}
