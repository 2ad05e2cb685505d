// As gemv/q4g32m, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/q4g32m.simd";
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
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    for (; t + 4 <= tokens; t += 4) {
      tile(op, b, 0, t);
      tile(op, b, 8, t);
    }
    for (; t < tokens; t++) block(op, b, t);
  }
}

/** Rows [16b + lane, + 8) of tokens [t, t + 4). The masks are loaded where they are used: the registers are taken. */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  let w = <usize>op.w + <usize>b * bytes;
  let x = token + panelAt(op.k);
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
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let q = w + NIBBLES_AT + (lane << 2);
    for (const stop = q + 256; q < stop; q += 64) {
      const v = v128.load(q);
      const u = v128.load(q, 16);
      let m = v128.and(v, v128.load(NIBBLE_0));
      let n = v128.and(u, v128.load(NIBBLE_0));
      let s = v128.load32_splat(x);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, m));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + step);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, m));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 2 * step);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, m));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 3 * step);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, m));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, n));
      m = v128.and(v, v128.load(NIBBLE_1));
      n = v128.and(u, v128.load(NIBBLE_1));
      s = v128.load32_splat(x, 4);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, m));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + step, 4);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, m));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 2 * step, 4);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, m));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 3 * step, 4);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, m));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, n));
      m = v128.and(v, v128.load(NIBBLE_2));
      n = v128.and(u, v128.load(NIBBLE_2));
      s = v128.load32_splat(x, 8);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, m));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + step, 8);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, m));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 2 * step, 8);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, m));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 3 * step, 8);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, m));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, n));
      m = i16x8.shr_u(v, 12);
      n = i16x8.shr_u(u, 12);
      s = v128.load32_splat(x, 12);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, m));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + step, 12);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, m));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 2 * step, 12);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, m));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, n));
      s = v128.load32_splat(x + 3 * step, 12);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, m));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, n));
      x += 16;
    }
    const at = w + (lane << 2);
    let minus = minusSum(z);
    f0 = plus(f0, i32x4.shr_s(a0, 8), minus, at);
    g0 = plus(g0, i32x4.shr_s(b0, 8), minus, at + 16);
    minus = minusSum(z + step);
    f1 = plus(f1, i32x4.shr_s(a1, 8), minus, at);
    g1 = plus(g1, i32x4.shr_s(b1, 8), minus, at + 16);
    minus = minusSum(z + 2 * step);
    f2 = plus(f2, i32x4.shr_s(a2, 8), minus, at);
    g2 = plus(g2, i32x4.shr_s(b2, 8), minus, at + 16);
    minus = minusSum(z + 3 * step);
    f3 = plus(f3, i32x4.shr_s(a3, 8), minus, at);
    g3 = plus(g3, i32x4.shr_s(b3, 8), minus, at + 16);
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
