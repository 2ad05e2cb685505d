// As gemv/t2, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/t2.relaxed";
import { CODES_AT, zAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { start } from "../lib/split";
import { CODES, FIELDS, GROUP_BYTES, times, zero } from "../lib/t2.simd";

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

/** Rows [16b + lane, + 8) of tokens [t, t + 4): fields 3, 1, 2, 0 in turn, as more at a time spill. */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
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
    for (let f = 1; f >= 0; f--) {
      const field = v128.load(FIELDS + (f << 4));
      let from = zero(z, f);
      a0 = i16x8.add(i16x8.shr_s(a0, 2), from);
      b0 = i16x8.add(i16x8.shr_s(b0, 2), from);
      from = zero(z + step, f);
      a1 = i16x8.add(i16x8.shr_s(a1, 2), from);
      b1 = i16x8.add(i16x8.shr_s(b1, 2), from);
      from = zero(z + 2 * step, f);
      a2 = i16x8.add(i16x8.shr_s(a2, 2), from);
      b2 = i16x8.add(i16x8.shr_s(b2, 2), from);
      from = zero(z + 3 * step, f);
      a3 = i16x8.add(i16x8.shr_s(a3, 2), from);
      b3 = i16x8.add(i16x8.shr_s(b3, 2), from);
      for (let shift = 4; shift >= 0; shift -= 4) {
        let q = w + CODES + (lane << 2);
        let p = x + (f << 5) + (shift << 4);
        for (const stop = q + 512; q < stop; q += 64) {
          const v = v128.and(i16x8.shr_u(v128.load(q), shift), field);
          const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), field);
          let s = v128.load32_splat(p);
          a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(s, v));
          b0 = i16x8.add(b0, i16x8.relaxed_dot_i8x16_i7x16_s(s, u));
          let y = p + step;
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
          p += 4;
        }
      }
    }
    const at = w + (lane << 1);
    f0 = f32x4.add(f0, times(a0, at));
    g0 = f32x4.add(g0, times(b0, at + 8));
    f1 = f32x4.add(f1, times(a1, at));
    g1 = f32x4.add(g1, times(b1, at + 8));
    f2 = f32x4.add(f2, times(a2, at));
    g2 = f32x4.add(g2, times(b2, at + 8));
    f3 = f32x4.add(f3, times(a3, at));
    g3 = f32x4.add(g3, times(b3, at + 8));
    x += 128;
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
