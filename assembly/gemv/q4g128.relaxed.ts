// y = x Wᵀ (+ bias) (+ residual); W q4g128, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
// As gemv/q4g32, with a group summed in two halves: 16 bits hold the true sum of 64 weights, not of 128.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "../lib/constants";
import { CODES_AT, zAt } from "../lib/i8row";
import { finish4, scales } from "../lib/linear.simd";
import { start } from "../lib/split";

const GROUP_BYTES: usize = 1056;
const HALF_BYTES: usize = 512;

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
    w += 32;
    let i0 = i32x4.splat(0);
    let i1 = i0;
    let i2 = i0;
    let i3 = i0;
    for (const all = group + GROUP_BYTES; w < all; ) {
      let a0 = i16x8.add(v128.load32_splat(z), v128.load32_splat(z, 4));
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      z += 8;
      for (const stop = w + HALF_BYTES; w < stop; w += 64) {
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
      i0 = i32x4.add(i0, i32x4.extadd_pairwise_i16x8_s(a0));
      i1 = i32x4.add(i1, i32x4.extadd_pairwise_i16x8_s(a1));
      i2 = i32x4.add(i2, i32x4.extadd_pairwise_i16x8_s(a2));
      i3 = i32x4.add(i3, i32x4.extadd_pairwise_i16x8_s(a3));
    }
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(i0), scales(group)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(i1), scales(group + 8)));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(i2), scales(group + 16)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(i3), scales(group + 24)));
  }
  const s = v128.load32_splat(row);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f0, s));
  finish4(op, token, first + 4, f32x4.mul(f1, s));
  finish4(op, token, first + 8, f32x4.mul(f2, s));
  finish4(op, token, first + 12, f32x4.mul(f3, s));
}
