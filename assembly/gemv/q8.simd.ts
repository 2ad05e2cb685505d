// y = x Wᵀ (+ bias) (+ residual); W q8, x i8tok with panel pairs. A unit owns blocks of 16 rows, for all tokens.
// A byte in the upper half of an i16 lane is the code × 256: no widening. 512 products of 127 · 127 · 256 fit 31 bits; then the sum is
// shifted back and kept.
import { LinearOp } from "../abi.gen";
import { UPPER_BYTE } from "../lib/constants";
import { panelAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { HEAD } from "../lib/q8.scalar";
import { start } from "../lib/split";

/** Bytes of 512 k of 16 rows. */
const RUN: usize = 8192;

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) block(op, b, t);
}

/** 16 rows of one token. */
export function block(op: LinearOp, b: u32, token: u32): void {
  const row = <usize>op.x + <usize>token * op.xs;
  const bytes = (((<usize>op.k + 31) & ~31) << 4) + HEAD;
  const head = <usize>op.w + <usize>b * bytes;
  const upper = v128.load(UPPER_BYTE);
  let w = head + HEAD;
  let x = row + panelAt(op.k);
  let i0 = i32x4.splat(0);
  let i1 = i0;
  let i2 = i0;
  let i3 = i0;
  for (const end = head + bytes; w < end; ) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (const stop = min<usize>(w + RUN, end); w < stop; w += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      x += 8;
      let v = v128.load(w);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 32);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 48);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
    }
    i0 = i32x4.add(i0, i32x4.shr_s(a0, 8));
    i1 = i32x4.add(i1, i32x4.shr_s(a1, 8));
    i2 = i32x4.add(i2, i32x4.shr_s(a2, 8));
    i3 = i32x4.add(i3, i32x4.shr_s(a3, 8));
  }
  const s = v128.load32_splat(row);
  finish4(op, token, b << 4, product(i0, head, s));
  finish4(op, token, (b << 4) + 4, product(i1, head + 16, s));
  finish4(op, token, (b << 4) + 8, product(i2, head + 32, s));
  finish4(op, token, (b << 4) + 12, product(i3, head + 48, s));
}

/** Sums of 4 rows times their f32 scales at `at`, times the activation's. */
export function product(sums: v128, at: usize, s: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(at)), s);
}
