// Products of t2 weights with i8tok activations (panel pairs) on i16 lanes, which are rows: bytes 0 and 2 of a word meet the panel's first pair,
// bytes 1 and 3 its second. Fields are used where they stand in their byte, the highest first; before the next one the sums, 4 times what they
// should be by then, are divided by 4, exactly.
import { LinearOp } from "../abi.gen";
import { panelAt, zAt } from "./i8row";
import { Finish } from "./linear.simd";
import { Product } from "./product.simd";
import { CODES, FIELDS, GROUP_BYTES, minusSum, plus } from "./t2.simd";

export class TernaryPairs implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const row = <usize>op.x + <usize>token * op.xs;
    const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
    let w = <usize>op.w + <usize>b * bytes;
    let x = row + panelAt(op.k);
    let z = row + zAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (const end = w + bytes; w < end; w += GROUP_BYTES) {
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      for (let f = 3; f >= 0; f--) {
        const field = i16x8.shr_u(v128.load(FIELDS + (f << 4)), 8);
        a0 = i32x4.shr_s(a0, 2);
        a1 = i32x4.shr_s(a1, 2);
        a2 = i32x4.shr_s(a2, 2);
        a3 = i32x4.shr_s(a3, 2);
        let y = x + (f << 6);
        let q = w + CODES;
        for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
          const even = v128.load32_splat(y);
          const odd = v128.load32_splat(y, 4);
          y += 8;
          let v = v128.load(q);
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(even, v128.and(v, field)));
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
          v = v128.load(q, 16);
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(even, v128.and(v, field)));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
          v = v128.load(q, 32);
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(even, v128.and(v, field)));
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
          v = v128.load(q, 48);
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(even, v128.and(v, field)));
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(odd, v128.and(i16x8.shr_u(v, 8), field)));
        }
      }
      const minus = minusSum(z);
      f0 = plus(f0, a0, minus, w);
      f1 = plus(f1, a1, minus, w + 8);
      f2 = plus(f2, a2, minus, w + 16);
      f3 = plus(f3, a3, minus, w + 24);
      x += 256;
      z += 16;
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 8, token);
  }

  /** Rows [16b + lane, + 8) of tokens [t, t + 4): bytes 1 and 3 of a field, then bytes 0 and 2, as one loop for both spills. */
  private half(op: LinearOp, b: u32, lane: u32, t: u32): void {
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
    const row = (b << 4) + lane;
    Finish.pair(op, t, row, token, f0, g0);
    Finish.pair(op, t + 1, row, token + step, f1, g1);
    Finish.pair(op, t + 2, row, token + 2 * step, f2, g2);
    Finish.pair(op, t + 3, row, token + 3 * step, f3, g3);
    Finish.rest(op, t, row);
  }
}
