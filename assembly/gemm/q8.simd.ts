// As gemv/q8, with the weights unpacked once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block, product } from "../gemv/q8.simd";
import { UPPER_BYTE } from "../lib/constants";
import { panelAt } from "../lib/i8row";
import { finish4 } from "../lib/linear.simd";
import { HEAD } from "../lib/q8.scalar";
import { start } from "../lib/split";

/** Bytes of 512 k of 16 rows. */
const RUN: usize = 8192;

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
  const bytes = (((<usize>op.k + 31) & ~31) << 4) + HEAD;
  const head = <usize>op.w + <usize>b * bytes + (lane << 2);
  const upper = v128.load(UPPER_BYTE);
  let w = head + HEAD;
  let x = token + panelAt(op.k);
  let i0 = i32x4.splat(0);
  let i1 = i0;
  let i2 = i0;
  let i3 = i0;
  let j0 = i0;
  let j1 = i0;
  let j2 = i0;
  let j3 = i0;
  for (const end = head + bytes; w < end; ) {
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (const stop = min<usize>(w + RUN, end); w < stop; w += 64) {
      let v = v128.load(w);
      let u = v128.load(w, 16);
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
    i0 = i32x4.add(i0, i32x4.shr_s(a0, 8));
    i1 = i32x4.add(i1, i32x4.shr_s(a1, 8));
    i2 = i32x4.add(i2, i32x4.shr_s(a2, 8));
    i3 = i32x4.add(i3, i32x4.shr_s(a3, 8));
    j0 = i32x4.add(j0, i32x4.shr_s(b0, 8));
    j1 = i32x4.add(j1, i32x4.shr_s(b1, 8));
    j2 = i32x4.add(j2, i32x4.shr_s(b2, 8));
    j3 = i32x4.add(j3, i32x4.shr_s(b3, 8));
  }
  finishPair(op, t, (b << 4) + lane, i0, j0, head, token);
  finishPair(op, t + 1, (b << 4) + lane, i1, j1, head, token + step);
  finishPair(op, t + 2, (b << 4) + lane, i2, j2, head, token + 2 * step);
  finishPair(op, t + 3, (b << 4) + lane, i3, j3, head, token + 3 * step);
}

/** 8 rows of one token: their scales stand at `scales`, the token's at `x`. */
function finishPair(op: LinearOp, token: u32, row: u32, i: v128, j: v128, scales: usize, x: usize): void {
  const s = v128.load32_splat(x);
  finish4(op, token, row, product(i, scales, s));
  finish4(op, token, row + 4, product(j, scales + 16, s));
}
