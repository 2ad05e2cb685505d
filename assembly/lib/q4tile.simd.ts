// As lib/q4.simd, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits. Z as there.
import { LinearOp } from "../abi.gen";
import { F32_256TH, NIBBLE_0, NIBBLE_1, NIBBLE_2 } from "./constants";
import { panelAt, zAt } from "./i8row";
import { finish4, scales } from "./linear.simd";
import { block, zero } from "./q4.simd";
import { start } from "./split";

export function tiledQ4<Z>(op: LinearOp, unit: u32, units: u32): void {
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    for (; t + 4 <= tokens; t += 4) {
      tile<Z>(op, b, 0, t);
      tile<Z>(op, b, 8, t);
    }
    for (; t < tokens; t++) block<Z>(op, b, t);
  }
}

/** Rows [16b + lane, + 8) of tokens [t, t + 4). The masks are loaded where they are used: the registers are taken. */
function tile<Z>(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const group: usize = sizeof<Z>() << 3;
  const stride: usize = 32 + (group << 3);
  const bytes = ((<usize>op.k + group - 1) / group) * stride;
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
  for (const end = w + bytes; w < end; w += stride) {
    let a0 = zero<Z>(z);
    let a1 = zero<Z>(z + step);
    let a2 = zero<Z>(z + 2 * step);
    let a3 = zero<Z>(z + 3 * step);
    let b0 = a0;
    let b1 = a1;
    let b2 = a2;
    let b3 = a3;
    z += sizeof<Z>();
    let q = w + 32 + (lane << 2);
    for (const stop = q + (group << 3); q < stop; q += 64) {
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
