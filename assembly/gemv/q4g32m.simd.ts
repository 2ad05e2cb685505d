// y = x Wᵀ (+ bias) (+ residual); W q4g32m, x i8tok with panel q4. A unit owns blocks of 16 rows, for all tokens.
// As lib/q4.simd: the panel makes every sum 256 times the true one. It is taken back on the integers, since the scales may be any f32.
import { LinearOp } from "../abi.gen";
import { NIBBLE_0, NIBBLE_1, NIBBLE_2 } from "../lib/constants";
import { panelAt, zAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { GROUP_BYTES, minusSum, NIBBLES_AT, plus } from "../lib/q4m.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) block(op, b, t);
}

/** 16 rows of one token; 8 at a time within a group, as more do not fit the registers. */
export function block(op: LinearOp, b: u32, token: u32): void {
  const row = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const n0 = v128.load(NIBBLE_0);
  const n1 = v128.load(NIBBLE_1);
  const n2 = v128.load(NIBBLE_2);
  let w = <usize>op.w + <usize>b * bytes;
  let x = row + panelAt(op.k);
  let z = row + zAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let q = w + NIBBLES_AT;
    for (const stop = q + 256; q < stop; q += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      const p2 = v128.load32_splat(x, 8);
      const p3 = v128.load32_splat(x, 12);
      x += 16;
      let v = v128.load(q);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      v = v128.load(q, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
    }
    const minus = minusSum(z);
    z += 4;
    f0 = plus(f0, i32x4.shr_s(a0, 8), minus, w);
    f1 = plus(f1, i32x4.shr_s(a1, 8), minus, w + 16);
    a0 = i32x4.splat(0);
    a1 = a0;
    x -= 64;
    q = w + NIBBLES_AT + 32;
    for (const stop = q + 256; q < stop; q += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      const p2 = v128.load32_splat(x, 8);
      const p3 = v128.load32_splat(x, 12);
      x += 16;
      let v = v128.load(q);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      v = v128.load(q, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
    }
    f2 = plus(f2, i32x4.shr_s(a0, 8), minus, w + 32);
    f3 = plus(f3, i32x4.shr_s(a1, 8), minus, w + 48);
  }
  const s = v128.load32_splat(row);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f0, s));
  finish4(op, token, first + 4, f32x4.mul(f1, s));
  finish4(op, token, first + 8, f32x4.mul(f2, s));
  finish4(op, token, first + 12, f32x4.mul(f3, s));
}
