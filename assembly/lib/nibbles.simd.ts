// Products of 4-bit codes in groups G with i8tok or i8g32 activations on i16 lanes. Panel q4 holds the activations premultiplied such that each
// nibble is used where it stands: every sum is 256 times the true one. Lanes are rows.
import { LinearOp } from "../abi.gen";
import { NIBBLE_0, NIBBLE_1, NIBBLE_2, SCALE_BASE_256TH } from "./constants";
import { Group, plus } from "./groups.simd";
import { panelAt, zAt } from "./i8row";
import { Finish } from "./linear.simd";
import { Product } from "./product.simd";

export class PanelNibbles<G extends Group> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const g = changetype<G>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const stride = g.head() + (g.weights() << 3);
    const bytes = ((<usize>op.k + g.weights() - 1) / g.weights()) * stride;
    const n0 = v128.load(NIBBLE_0);
    const n1 = v128.load(NIBBLE_1);
    const n2 = v128.load(NIBBLE_2);
    let w = <usize>op.w + <usize>b * bytes;
    let x = row + panelAt(op.k);
    let z = row + zAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (const end = w + bytes; w < end; w += stride) {
      let a0 = i32x4.shl(g.zero(z), 8);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let q = w + g.head();
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const p0 = v128.load32_splat(x);
        const p1 = v128.load32_splat(x, 4);
        const p2 = v128.load32_splat(x, 8);
        const p3 = v128.load32_splat(x, 12);
        x += 16;
        let v = v128.load(q);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 16);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 32);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
        v = v128.load(q, 48);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      }
      const minus = g.minus(z);
      const times = g.times(z);
      let at = w;
      f0 = plus<G>(f0, g.whole(a0), g.scale(at, SCALE_BASE_256TH), at, minus, times);
      at += g.quad();
      f1 = plus<G>(f1, g.whole(a1), g.scale(at, SCALE_BASE_256TH), at, minus, times);
      at += g.quad();
      f2 = plus<G>(f2, g.whole(a2), g.scale(at, SCALE_BASE_256TH), at, minus, times);
      at += g.quad();
      f3 = plus<G>(f3, g.whole(a3), g.scale(at, SCALE_BASE_256TH), at, minus, times);
      z += g.words();
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens: one nibble of each i16 after the other, since one loop for all spills. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const g = changetype<G>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const stride = g.head() + (g.weights() << 3);
    const bytes = ((<usize>op.k + g.weights() - 1) / g.weights()) * stride;
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
      let a0 = i32x4.shl(g.zero(z), 8);
      let a1 = i32x4.shl(g.zero(z + step), 8);
      let a2 = i32x4.shl(g.zero(z + 2 * step), 8);
      let a3 = i32x4.shl(g.zero(z + 3 * step), 8);
      let b0 = a0;
      let b1 = a1;
      let b2 = a2;
      let b3 = a3;
      let q = w + g.head() + (h << 5);
      let n = v128.load(NIBBLE_0);
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = v128.and(v128.load(q), n);
        const u = v128.and(v128.load(q, 16), n);
        let s = v128.load32_splat(x);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
        let y = x + step;
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
        x += 16;
      }
      q -= g.weights() << 3;
      x -= g.weights() << 1;
      n = v128.load(NIBBLE_1);
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = v128.and(v128.load(q), n);
        const u = v128.and(v128.load(q, 16), n);
        let s = v128.load32_splat(x, 4);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
        let y = x + step;
        s = v128.load32_splat(y, 4);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 4);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 4);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
        x += 16;
      }
      q -= g.weights() << 3;
      x -= g.weights() << 1;
      n = v128.load(NIBBLE_2);
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = v128.and(v128.load(q), n);
        const u = v128.and(v128.load(q, 16), n);
        let s = v128.load32_splat(x, 8);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
        let y = x + step;
        s = v128.load32_splat(y, 8);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 8);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 8);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
        x += 16;
      }
      q -= g.weights() << 3;
      x -= g.weights() << 1;
      for (const stop = q + (g.weights() << 3); q < stop; q += 64) {
        const v = i16x8.shr_u(v128.load(q), 12);
        const u = i16x8.shr_u(v128.load(q, 16), 12);
        let s = v128.load32_splat(x, 12);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, v));
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, u));
        let y = x + step;
        s = v128.load32_splat(y, 12);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, v));
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 12);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, v));
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, u));
        y += step;
        s = v128.load32_splat(y, 12);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, v));
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, u));
        x += 16;
      }
      const at = w + h * (2 * g.quad());
      let c = g.scale(at, SCALE_BASE_256TH);
      f0 = plus<G>(f0, g.whole(a0), c, at, g.minus(z), g.times(z));
      f1 = plus<G>(f1, g.whole(a1), c, at, g.minus(z + step), g.times(z + step));
      f2 = plus<G>(f2, g.whole(a2), c, at, g.minus(z + 2 * step), g.times(z + 2 * step));
      f3 = plus<G>(f3, g.whole(a3), c, at, g.minus(z + 3 * step), g.times(z + 3 * step));
      c = g.scale(at + g.quad(), SCALE_BASE_256TH);
      g0 = plus<G>(g0, g.whole(b0), c, at + g.quad(), g.minus(z), g.times(z));
      g1 = plus<G>(g1, g.whole(b1), c, at + g.quad(), g.minus(z + step), g.times(z + step));
      g2 = plus<G>(g2, g.whole(b2), c, at + g.quad(), g.minus(z + 2 * step), g.times(z + 2 * step));
      g3 = plus<G>(g3, g.whole(b3), c, at + g.quad(), g.minus(z + 3 * step), g.times(z + 3 * step));
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
