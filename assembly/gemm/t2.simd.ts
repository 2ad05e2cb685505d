// As gemv/t2, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/t2.simd";
import { panelAt, zAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { start } from "../lib/split";
import { CODES, FIELDS, GROUP_BYTES, minusSum, plus } from "../lib/t2.simd";

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

/** Rows [16b + lane, + 8) of tokens [t, t + 4): bytes 1 and 3 of a field, then bytes 0 and 2, as one loop for both spills. */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
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
    for (let f = 3; f >= 0; f--) {
      const field = i16x8.shr_u(v128.load(FIELDS + (f << 4)), 8);
      a0 = i32x4.shr_s(a0, 2);
      a1 = i32x4.shr_s(a1, 2);
      a2 = i32x4.shr_s(a2, 2);
      a3 = i32x4.shr_s(a3, 2);
      b0 = i32x4.shr_s(b0, 2);
      b1 = i32x4.shr_s(b1, 2);
      b2 = i32x4.shr_s(b2, 2);
      b3 = i32x4.shr_s(b3, 2);
      for (let shift = 8; shift >= 0; shift -= 8) {
        let q = w + CODES + (lane << 2);
        let p = x + (f << 6) + (shift >> 1);
        for (const stop = q + 512; q < stop; q += 64) {
          const v = v128.and(i16x8.shr_u(v128.load(q), shift), field);
          const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), field);
          let s = v128.load32_splat(p);
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
          let y = p + step;
          s = v128.load32_splat(y);
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
          y += step;
          s = v128.load32_splat(y);
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
          b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
          y += step;
          s = v128.load32_splat(y);
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
          b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
          p += 8;
        }
      }
    }
    const at = w + (lane << 1);
    let minus = minusSum(z);
    f0 = plus(f0, a0, minus, at);
    g0 = plus(g0, b0, minus, at + 8);
    minus = minusSum(z + step);
    f1 = plus(f1, a1, minus, at);
    g1 = plus(g1, b1, minus, at + 8);
    minus = minusSum(z + 2 * step);
    f2 = plus(f2, a2, minus, at);
    g2 = plus(g2, b2, minus, at + 8);
    minus = minusSum(z + 3 * step);
    f3 = plus(f3, a3, minus, at);
    g3 = plus(g3, b3, minus, at + 8);
    x += 256;
    z += 16;
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
