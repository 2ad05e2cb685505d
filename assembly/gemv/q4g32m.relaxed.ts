// y = x Wᵀ (+ bias) (+ residual); W q4g32m, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
// A lane pair of 16 bits is a row. Nibbles are the 0…15 operand of the relaxed dot; why its sums fit says lib/q4m.simd.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "../lib/constants";
import { CODES_AT, zAt } from "../lib/i8row";
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

/** 16 rows of one token. */
export function block(op: LinearOp, b: u32, token: u32): void {
  const row = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const low = v128.load(NIBBLE);
  let w = <usize>op.w + <usize>b * bytes;
  let x = row + CODES_AT;
  let z = row + zAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = w + bytes; w < end; ) {
    const group = w;
    let a0 = i16x8.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    w += NIBBLES_AT;
    for (const stop = group + GROUP_BYTES; w < stop; w += 64) {
      const lo = v128.load32_splat(x);
      const hi = v128.load32_splat(x, 4);
      x += 8;
      let v = v128.load(w);
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, low)));
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), low)));
      v = v128.load(w, 16);
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, low)));
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), low)));
      v = v128.load(w, 32);
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, low)));
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), low)));
      v = v128.load(w, 48);
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, low)));
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), low)));
    }
    const minus = minusSum(z);
    z += 4;
    f0 = plus(f0, i32x4.extadd_pairwise_i16x8_s(a0), minus, group);
    f1 = plus(f1, i32x4.extadd_pairwise_i16x8_s(a1), minus, group + 16);
    f2 = plus(f2, i32x4.extadd_pairwise_i16x8_s(a2), minus, group + 32);
    f3 = plus(f3, i32x4.extadd_pairwise_i16x8_s(a3), minus, group + 48);
  }
  const s = v128.load32_splat(row);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f0, s));
  finish4(op, token, first + 4, f32x4.mul(f1, s));
  finish4(op, token, first + 8, f32x4.mul(f2, s));
  finish4(op, token, first + 12, f32x4.mul(f3, s));
}
