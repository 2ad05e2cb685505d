// Products of 4-bit codes in groups G with i8tok or i8g32 activations by the relaxed dot D: nibbles are its operand 0…127. Lanes are rows.
import { LinearOp } from "../abi.gen";
import { NIBBLE, SCALE_BASE } from "./constants";
import { Dot, zero } from "./dot.relaxed";
import { Group, plus } from "./groups.simd";
import { CODES_AT, zAt } from "./i8row";
import { Finish } from "./linear.simd";
import { Product } from "./product.simd";

export class Nibbles<G extends Group, D extends Dot> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const g = changetype<G>(0);
    const d = changetype<D>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const stride = g.head() + (g.weights() << 3);
    const bytes = ((<usize>op.k + g.weights() - 1) / g.weights()) * stride;
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
      let a0 = zero<G, D>(z);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      w += g.head();
      for (const stop = group + stride; w < stop; w += 64) {
        const lo = v128.load32_splat(x);
        const hi = v128.load32_splat(x, 4);
        x += 8;
        let v = v128.load(w);
        a0 = d.plus(a0, lo, v128.and(v, low));
        a0 = d.plus(a0, hi, v128.and(i16x8.shr_u(v, 4), low));
        v = v128.load(w, 16);
        a1 = d.plus(a1, lo, v128.and(v, low));
        a1 = d.plus(a1, hi, v128.and(i16x8.shr_u(v, 4), low));
        v = v128.load(w, 32);
        a2 = d.plus(a2, lo, v128.and(v, low));
        a2 = d.plus(a2, hi, v128.and(i16x8.shr_u(v, 4), low));
        v = v128.load(w, 48);
        a3 = d.plus(a3, lo, v128.and(v, low));
        a3 = d.plus(a3, hi, v128.and(i16x8.shr_u(v, 4), low));
      }
      const minus = g.minus(z);
      const times = g.times(z);
      z += g.words();
      let at = group;
      f0 = plus<G>(f0, d.total(a0), g.scale(at, SCALE_BASE), at, minus, times);
      at += g.quad();
      f1 = plus<G>(f1, d.total(a1), g.scale(at, SCALE_BASE), at, minus, times);
      at += g.quad();
      f2 = plus<G>(f2, d.total(a2), g.scale(at, SCALE_BASE), at, minus, times);
      at += g.quad();
      f3 = plus<G>(f3, d.total(a3), g.scale(at, SCALE_BASE), at, minus, times);
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens: low nibbles, then high ones, since one loop for both spills. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const g = changetype<G>(0);
    const d = changetype<D>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const stride = g.head() + (g.weights() << 3);
    const bytes = ((<usize>op.k + g.weights() - 1) / g.weights()) * stride;
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
    for (const end = w + bytes; w < end; w += stride) {
      let a0 = zero<G, D>(z);
      let a1 = zero<G, D>(z + step);
      let a2 = zero<G, D>(z + 2 * step);
      let a3 = zero<G, D>(z + 3 * step);
      let b0 = a0;
      let b1 = a1;
      let b2 = a2;
      let b3 = a3;
      let q = w + g.head() + (h << 5);
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = v128.and(v128.load(q), low);
        const u = v128.and(v128.load(q, 16), low);
        let s = v128.load32_splat(x);
        a0 = d.plus(a0, s, v);
        b0 = d.plus(b0, s, u);
        let y = x + step;
        s = v128.load32_splat(y);
        a1 = d.plus(a1, s, v);
        b1 = d.plus(b1, s, u);
        y += step;
        s = v128.load32_splat(y);
        a2 = d.plus(a2, s, v);
        b2 = d.plus(b2, s, u);
        y += step;
        s = v128.load32_splat(y);
        a3 = d.plus(a3, s, v);
        b3 = d.plus(b3, s, u);
        x += 8;
      }
      q -= g.weights() << 3;
      x -= g.weights();
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = v128.and(i16x8.shr_u(v128.load(q), 4), low);
        const u = v128.and(i16x8.shr_u(v128.load(q, 16), 4), low);
        let s = v128.load32_splat(x, 4);
        a0 = d.plus(a0, s, v);
        b0 = d.plus(b0, s, u);
        let y = x + step;
        s = v128.load32_splat(y, 4);
        a1 = d.plus(a1, s, v);
        b1 = d.plus(b1, s, u);
        y += step;
        s = v128.load32_splat(y, 4);
        a2 = d.plus(a2, s, v);
        b2 = d.plus(b2, s, u);
        y += step;
        s = v128.load32_splat(y, 4);
        a3 = d.plus(a3, s, v);
        b3 = d.plus(b3, s, u);
        x += 8;
      }
      const at = w + h * (2 * g.quad());
      let c = g.scale(at, SCALE_BASE);
      f0 = plus<G>(f0, d.total(a0), c, at, g.minus(z), g.times(z));
      f1 = plus<G>(f1, d.total(a1), c, at, g.minus(z + step), g.times(z + step));
      f2 = plus<G>(f2, d.total(a2), c, at, g.minus(z + 2 * step), g.times(z + 2 * step));
      f3 = plus<G>(f3, d.total(a3), c, at, g.minus(z + 3 * step), g.times(z + 3 * step));
      c = g.scale(at + g.quad(), SCALE_BASE);
      g0 = plus<G>(g0, d.total(b0), c, at + g.quad(), g.minus(z), g.times(z));
      g1 = plus<G>(g1, d.total(b1), c, at + g.quad(), g.minus(z + step), g.times(z + step));
      g2 = plus<G>(g2, d.total(b2), c, at + g.quad(), g.minus(z + 2 * step), g.times(z + 2 * step));
      g3 = plus<G>(g3, d.total(b3), c, at + g.quad(), g.minus(z + 3 * step), g.times(z + 3 * step));
      z += g.words();
    }
    const row = (b << 4) + ((<u32>h) << 3);
    Finish.pair(op, t, row, token, f0, g0);
    Finish.pair(op, t + 1, row, token + step, f1, g1);
    Finish.pair(op, t + 2, row, token + 2 * step, f2, g2);
    Finish.pair(op, t + 3, row, token + 3 * step, f3, g3);
    Finish.rest(op, t, row);
  }
}
