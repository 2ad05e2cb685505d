// y = x Wᵀ (+ bias) (+ residual); W t2, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
// Fields 1 and 3 are used where they stand in a nibble, as 4 · (code + 1), and their sum is divided by 4 before fields 0 and 2 are added: it is
// divisible. No lane of 16 bits wraps but on the way: 4 · 2 · 127 · 32 = 32512 for 32 weights of −1 … 2, and 2 · 127 · 64 = 16256 in the end.
// The i32 dot, one instruction where V8 knows AVX-VNNI (Node 24), is 1.17× this there; where it is five (Node 20, Zen 4) it is 0.57×.
import { LinearOp } from "../abi.gen";
import { CODES_AT, zAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { start } from "../lib/split";
import { CODES, FIELDS, GROUP_BYTES, times, zero } from "../lib/t2.simd";

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
  const lower = v128.load(FIELDS);
  const upper = v128.load(FIELDS + 16);
  let w = <usize>op.w + <usize>b * bytes;
  let x = row + CODES_AT;
  let z = row + zAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    let a0 = zero(z, 1);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let q = w + CODES;
    for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
      const lo = v128.load32_splat(x, 32);
      const hi = v128.load32_splat(x, 96);
      x += 4;
      let v = v128.load(q);
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, upper)));
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), upper)));
      v = v128.load(q, 16);
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, upper)));
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), upper)));
      v = v128.load(q, 32);
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, upper)));
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), upper)));
      v = v128.load(q, 48);
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, upper)));
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), upper)));
    }
    const from = zero(z, 0);
    a0 = i16x8.add(i16x8.shr_s(a0, 2), from);
    a1 = i16x8.add(i16x8.shr_s(a1, 2), from);
    a2 = i16x8.add(i16x8.shr_s(a2, 2), from);
    a3 = i16x8.add(i16x8.shr_s(a3, 2), from);
    q = w + CODES;
    x -= 32;
    for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
      const lo = v128.load32_splat(x);
      const hi = v128.load32_splat(x, 64);
      x += 4;
      let v = v128.load(q);
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, lower)));
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), lower)));
      v = v128.load(q, 16);
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, lower)));
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), lower)));
      v = v128.load(q, 32);
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, lower)));
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), lower)));
      v = v128.load(q, 48);
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(lo, v128.and(v, lower)));
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(hi, v128.and(i16x8.shr_u(v, 4), lower)));
    }
    f0 = f32x4.add(f0, times(a0, w));
    f1 = f32x4.add(f1, times(a1, w + 8));
    f2 = f32x4.add(f2, times(a2, w + 16));
    f3 = f32x4.add(f3, times(a3, w + 24));
    x += 96;
    z += 16;
  }
  const s = v128.load32_splat(row);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f0, s));
  finish4(op, token, first + 4, f32x4.mul(f1, s));
  finish4(op, token, first + 8, f32x4.mul(f2, s));
  finish4(op, token, first + 12, f32x4.mul(f3, s));
}
