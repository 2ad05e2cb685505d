// As gemv/q8g32, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/q8g32.simd";
import { F32_256TH, UPPER_BYTE } from "../lib/constants";
import { panelAt } from "../lib/i8row";
import { finish4, scales } from "../lib/linear.simd";
import { start } from "../lib/split";

const GROUP_BYTES: usize = 544;

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

/** Rows [16b + lane, + 8) of tokens [t, t + 4). */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const upper = v128.load(UPPER_BYTE);
  let w = <usize>op.w + <usize>b * bytes;
  let x = token + panelAt(op.k);
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
    let q = w + 32 + (lane << 2);
    for (const stop = q + 512; q < stop; q += 64) {
      let v = v128.load(q);
      let u = v128.load(q, 16);
      const vl = i16x8.shl(v, 8);
      const ul = i16x8.shl(u, 8);
      v = v128.and(v, upper);
      u = v128.and(u, upper);
      let s = v128.load32_splat(x);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, vl));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, ul));
      s = v128.load32_splat(x, 4);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
      let y = x + step;
      s = v128.load32_splat(y);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, vl));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, ul));
      s = v128.load32_splat(y, 4);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
      y += step;
      s = v128.load32_splat(y);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, vl));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, ul));
      s = v128.load32_splat(y, 4);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
      y += step;
      s = v128.load32_splat(y);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, vl));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, ul));
      s = v128.load32_splat(y, 4);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
      x += 8;
    }
    let c = scales(w + (lane << 1));
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(a0), c));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(a1), c));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(a2), c));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(a3), c));
    c = scales(w + (lane << 1) + 8);
    g0 = f32x4.add(g0, f32x4.mul(f32x4.convert_i32x4_s(b0), c));
    g1 = f32x4.add(g1, f32x4.mul(f32x4.convert_i32x4_s(b1), c));
    g2 = f32x4.add(g2, f32x4.mul(f32x4.convert_i32x4_s(b2), c));
    g3 = f32x4.add(g3, f32x4.mul(f32x4.convert_i32x4_s(b3), c));
  }
  finishPair(op, t, (b << 4) + lane, f0, g0, token);
  finishPair(op, t + 1, (b << 4) + lane, f1, g1, token + step);
  finishPair(op, t + 2, (b << 4) + lane, f2, g2, token + 2 * step);
  finishPair(op, t + 3, (b << 4) + lane, f3, g3, token + 3 * step);
}

/** 8 rows of one token, over 256, times the scale at the head of the token's activations. */
function finishPair(op: LinearOp, token: u32, row: u32, f: v128, g: v128, x: usize): void {
  const s = v128.load32_splat(x);
  const back = v128.load(F32_256TH);
  finish4(op, token, row, f32x4.mul(f32x4.mul(f, back), s));
  finish4(op, token, row + 4, f32x4.mul(f32x4.mul(g, back), s));
}
