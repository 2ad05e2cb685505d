// As gemv/q4g32m, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/q4g32m.relaxed";
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
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    for (; t + 4 <= tokens; t += 4) {
      tile(op, b, 0, t);
      tile(op, b, 8, t);
    }
    for (; t < tokens; t++) block(op, b, t);
  }
}

/** Rows [16b + lane, + 8) of tokens [t, t + 4): low nibbles, then high ones, since one loop for both spills. */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const low = v128.load(NIBBLE);
  let w = <usize>op.w + <usize>b * bytes;
  let x = token + CODES_AT;
  let z = token + zAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  let g0 = f0;
  let g1 = f0;
  let g2 = f0;
  let g3 = f0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    let a0 = i16x8.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let q = w + NIBBLES_AT + (lane << 2);
    for (const stop = q + 256; q < stop; q += 64) {
      const v = v128.and(v128.load(q), low);
      const u = v128.and(v128.load(q, 16), low);
      let s = v128.load32_splat(x);
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b0 = i16x8.add(b0, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      let y = x + step;
      s = v128.load32_splat(y);
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b1 = i16x8.add(b1, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      y += step;
      s = v128.load32_splat(y);
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b2 = i16x8.add(b2, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      y += step;
      s = v128.load32_splat(y);
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b3 = i16x8.add(b3, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      x += 8;
    }
    q -= 256;
    x -= 32;
    for (const stop = q + 256; q < stop; q += 64) {
      const v = v128.and(i16x8.shr_u(v128.load(q), 4), low);
      const u = v128.and(i16x8.shr_u(v128.load(q, 16), 4), low);
      let s = v128.load32_splat(x, 4);
      a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b0 = i16x8.add(b0, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      let y = x + step;
      s = v128.load32_splat(y, 4);
      a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b1 = i16x8.add(b1, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      y += step;
      s = v128.load32_splat(y, 4);
      a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b2 = i16x8.add(b2, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      y += step;
      s = v128.load32_splat(y, 4);
      a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
      b3 = i16x8.add(b3, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
      x += 8;
    }
    const at = w + (lane << 2);
    let minus = minusSum(z);
    f0 = plus(f0, i32x4.extadd_pairwise_i16x8_s(a0), minus, at);
    g0 = plus(g0, i32x4.extadd_pairwise_i16x8_s(b0), minus, at + 16);
    minus = minusSum(z + step);
    f1 = plus(f1, i32x4.extadd_pairwise_i16x8_s(a1), minus, at);
    g1 = plus(g1, i32x4.extadd_pairwise_i16x8_s(b1), minus, at + 16);
    minus = minusSum(z + 2 * step);
    f2 = plus(f2, i32x4.extadd_pairwise_i16x8_s(a2), minus, at);
    g2 = plus(g2, i32x4.extadd_pairwise_i16x8_s(b2), minus, at + 16);
    minus = minusSum(z + 3 * step);
    f3 = plus(f3, i32x4.extadd_pairwise_i16x8_s(a3), minus, at);
    g3 = plus(g3, i32x4.extadd_pairwise_i16x8_s(b3), minus, at + 16);
    z += 4;
  }
  finishPair(op, t, (b << 4) + lane, f0, g0, token);
  finishPair(op, t + 1, (b << 4) + lane, f1, g1, token + step);
  finishPair(op, t + 2, (b << 4) + lane, f2, g2, token + 2 * step);
  finishPair(op, t + 3, (b << 4) + lane, f3, g3, token + 3 * step);
}

/** 8 rows of one token, times the scale at the head of the token's activations. */
function finishPair(op: LinearOp, token: u32, row: u32, f: v128, g: v128, x: usize): void {
  const s = v128.load32_splat(x);
  finish4(op, token, row, f32x4.mul(f, s));
  finish4(op, token, row + 4, f32x4.mul(g, s));
}
