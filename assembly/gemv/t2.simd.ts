// y = x Wᵀ (+ bias) (+ residual); W t2, x i8tok with panel pairs. A unit owns blocks of 16 rows, for all tokens.
// i16 lanes: bytes 0 and 2 of a word meet the panel's first pair, bytes 1 and 3 its second. Fields are used where they stand in their byte, the
// highest first; before the next one the sums, 4 times what they should be by then, are divided by 4, exactly.
import { LinearOp } from "../abi.gen";
import { panelAt, zAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { start } from "../lib/split";
import { CODES, FIELDS, GROUP_BYTES, minusSum, plus } from "../lib/t2.simd";

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
  const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
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
    let a2 = a0;
    let a3 = a0;
    for (let f = 3; f >= 0; f--) {
      const field = i16x8.shr_u(v128.load(FIELDS + (f << 4)), 8);
      a0 = i32x4.shr_s(a0, 2);
      a1 = i32x4.shr_s(a1, 2);
      a2 = i32x4.shr_s(a2, 2);
      a3 = i32x4.shr_s(a3, 2);
      let y = x + (f << 6);
      let q = w + CODES;
      for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
        const even = v128.load32_splat(y);
        const odd = v128.load32_splat(y, 4);
        y += 8;
        let v = v128.load(q);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(even, v128.and(v, field)));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
        v = v128.load(q, 16);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(even, v128.and(v, field)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
        v = v128.load(q, 32);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(even, v128.and(v, field)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
        v = v128.load(q, 48);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(even, v128.and(v, field)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
      }
    }
    const minus = minusSum(z);
    f0 = plus(f0, a0, minus, w);
    f1 = plus(f1, a1, minus, w + 8);
    f2 = plus(f2, a2, minus, w + 16);
    f3 = plus(f3, a3, minus, w + 24);
    x += 256;
    z += 16;
  }
  const s = v128.load32_splat(row);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f0, s));
  finish4(op, token, first + 4, f32x4.mul(f1, s));
  finish4(op, token, first + 8, f32x4.mul(f2, s));
  finish4(op, token, first + 12, f32x4.mul(f3, s));
}
