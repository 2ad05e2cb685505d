// Products of int8 codes in runs R with i8tok or i8g32 activations on i16 lanes, panel pairs. A byte in the upper half of an i16 lane is the code
// times 256: no widening, and every sum is 256 times the true one. Lanes are rows.
import { LinearOp } from "../abi.gen";
import { SCALE_BASE, SCALE_BASE_256TH, UPPER_BYTE } from "./constants";
import { panelAt, zAt } from "./i8row";
import { Finish } from "./linear.simd";
import { Product } from "./product.simd";
import { Run } from "./runs.simd";

export class PanelBytes<R extends Run> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const r = changetype<R>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const bytes = r.bytes(op.k);
    const first = <usize>op.w + <usize>b * bytes;
    const upper = v128.load(UPPER_BYTE);
    let w = first + r.first();
    let x = row + panelAt(op.k);
    let z = row + zAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (const end = first + bytes; w < end; ) {
      const at = w;
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      w += r.head();
      for (const stop = r.stop(w, end); w < stop; w += 64) {
        const p = v128.load32_splat(x);
        const q = v128.load32_splat(x, 4);
        x += 8;
        let v = v128.load(w);
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p, i16x8.shl(v, 8)));
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(q, v128.and(v, upper)));
        v = v128.load(w, 16);
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p, i16x8.shl(v, 8)));
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(q, v128.and(v, upper)));
        v = v128.load(w, 32);
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p, i16x8.shl(v, 8)));
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(q, v128.and(v, upper)));
        v = v128.load(w, 48);
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p, i16x8.shl(v, 8)));
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(q, v128.and(v, upper)));
      }
      const times = r.times(z);
      z += r.words();
      f0 = r.plus(f0, r.whole(a0), r.scale(at, SCALE_BASE_256TH), times);
      f1 = r.plus(f1, r.whole(a1), r.scale(at + 8, SCALE_BASE_256TH), times);
      f2 = r.plus(f2, r.whole(a2), r.scale(at + 16, SCALE_BASE_256TH), times);
      f3 = r.plus(f3, r.whole(a3), r.scale(at + 24, SCALE_BASE_256TH), times);
    }
    Finish.block(op, token, b << 4, row, r.end(f0, first), r.end(f1, first + 16), r.end(f2, first + 32), r.end(f3, first + 48));
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens: lower bytes of a run, then upper ones without the factor 256, since one loop for both spills. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const r = changetype<R>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const bytes = r.bytes(op.k);
    const first = <usize>op.w + <usize>b * bytes;
    const end = first + bytes;
    let w = first + r.first();
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
    while (w < end) {
      const at = w + (h << 4);
      const stop = r.stop(w + r.head(), end);
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      const from = x;
      for (let q = w + r.head() + (h << 5); q < stop; q += 64) {
        const v = i16x8.shl(v128.load(q), 8);
        const u = i16x8.shl(v128.load(q, 16), 8);
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
        x += 8;
      }
      x = from;
      a0 = i32x4.shr_s(a0, 8);
      b0 = i32x4.shr_s(b0, 8);
      a1 = i32x4.shr_s(a1, 8);
      b1 = i32x4.shr_s(b1, 8);
      a2 = i32x4.shr_s(a2, 8);
      b2 = i32x4.shr_s(b2, 8);
      a3 = i32x4.shr_s(a3, 8);
      b3 = i32x4.shr_s(b3, 8);
      for (let q = w + r.head() + (h << 5); q < stop; q += 64) {
        const v = i16x8.shr_s(v128.load(q), 8);
        const u = i16x8.shr_s(v128.load(q, 16), 8);
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
        x += 8;
      }
      w = stop;
      let c = r.scale(at, SCALE_BASE);
      f0 = r.plus(f0, a0, c, r.times(z));
      f1 = r.plus(f1, a1, c, r.times(z + step));
      f2 = r.plus(f2, a2, c, r.times(z + 2 * step));
      f3 = r.plus(f3, a3, c, r.times(z + 3 * step));
      c = r.scale(at + 8, SCALE_BASE);
      g0 = r.plus(g0, b0, c, r.times(z));
      g1 = r.plus(g1, b1, c, r.times(z + step));
      g2 = r.plus(g2, b2, c, r.times(z + 2 * step));
      g3 = r.plus(g3, b3, c, r.times(z + 3 * step));
      z += r.words();
    }
    const row = (b << 4) + ((<u32>h) << 3);
    const scales = first + (h << 5);
    Finish.pair(op, t, row, token, r.end(f0, scales), r.end(g0, scales + 16));
    Finish.pair(op, t + 1, row, token + step, r.end(f1, scales), r.end(g1, scales + 16));
    Finish.pair(op, t + 2, row, token + 2 * step, r.end(f2, scales), r.end(g2, scales + 16));
    Finish.pair(op, t + 3, row, token + 3 * step, r.end(f3, scales), r.end(g3, scales + 16));
    Finish.rest(op, t, row);
  }
}
