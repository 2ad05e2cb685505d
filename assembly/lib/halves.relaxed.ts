// Products of q4g128 with i8tok activations by the relaxed dot into i16. As lib/nibbles.relaxed with Dot16, but a group is summed in two
// halves: 16 bits hold the true sum of 64 weights, not of 128.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { Dot16 } from "./dot.relaxed";
import { CODES_AT, zAt } from "./i8row";
import { Finish, scales } from "./linear.simd";
import { Product } from "./product.simd";

const GROUP_BYTES: usize = 1056;
const HALF_BYTES: usize = 512;

export class Halves implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const d = changetype<Dot16>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
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
      w += 32;
      let i0 = i32x4.splat(0);
      let i1 = i0;
      let i2 = i0;
      let i3 = i0;
      for (const all = group + GROUP_BYTES; w < all; ) {
        let a0 = i16x8.add(v128.load32_splat(z), v128.load32_splat(z, 4));
        let a1 = a0;
        let a2 = a0;
        let a3 = a0;
        z += 8;
        for (const stop = w + HALF_BYTES; w < stop; w += 64) {
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
        i0 = i32x4.add(i0, i32x4.extadd_pairwise_i16x8_s(a0));
        i1 = i32x4.add(i1, i32x4.extadd_pairwise_i16x8_s(a1));
        i2 = i32x4.add(i2, i32x4.extadd_pairwise_i16x8_s(a2));
        i3 = i32x4.add(i3, i32x4.extadd_pairwise_i16x8_s(a3));
      }
      f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(i0), scales(group)));
      f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(i1), scales(group + 8)));
      f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(i2), scales(group + 16)));
      f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(i3), scales(group + 24)));
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const d = changetype<Dot16>(0);
    const step = <usize>op.xs;
    const token = <usize>op.x + <usize>t * step;
    const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
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
    for (const end = w + bytes; w < end; w += GROUP_BYTES) {
      let q = w + 32 + (h << 5);
      let i0 = i32x4.splat(0);
      let i1 = i0;
      let i2 = i0;
      let i3 = i0;
      let j0 = i0;
      let j1 = i0;
      let j2 = i0;
      let j3 = i0;
      for (const all = q + 2 * HALF_BYTES; q < all; ) {
        let a0 = zero64(z);
        let a1 = zero64(z + step);
        let a2 = zero64(z + 2 * step);
        let a3 = zero64(z + 3 * step);
        let b0 = a0;
        let b1 = a1;
        let b2 = a2;
        let b3 = a3;
        z += 8;
        for (const stop = q + HALF_BYTES; q < stop; q += 64) {
          let v = v128.load(q);
          let u = v128.load(q, 16);
          const vl = v128.and(v, low);
          const ul = v128.and(u, low);
          v = v128.and(i16x8.shr_u(v, 4), low);
          u = v128.and(i16x8.shr_u(u, 4), low);
          let s = v128.load32_splat(x);
          a0 = d.plus(a0, s, vl);
          b0 = d.plus(b0, s, ul);
          s = v128.load32_splat(x, 4);
          a0 = d.plus(a0, s, v);
          b0 = d.plus(b0, s, u);
          let y = x + step;
          s = v128.load32_splat(y);
          a1 = d.plus(a1, s, vl);
          b1 = d.plus(b1, s, ul);
          s = v128.load32_splat(y, 4);
          a1 = d.plus(a1, s, v);
          b1 = d.plus(b1, s, u);
          y += step;
          s = v128.load32_splat(y);
          a2 = d.plus(a2, s, vl);
          b2 = d.plus(b2, s, ul);
          s = v128.load32_splat(y, 4);
          a2 = d.plus(a2, s, v);
          b2 = d.plus(b2, s, u);
          y += step;
          s = v128.load32_splat(y);
          a3 = d.plus(a3, s, vl);
          b3 = d.plus(b3, s, ul);
          s = v128.load32_splat(y, 4);
          a3 = d.plus(a3, s, v);
          b3 = d.plus(b3, s, u);
          x += 8;
        }
        i0 = i32x4.add(i0, i32x4.extadd_pairwise_i16x8_s(a0));
        i1 = i32x4.add(i1, i32x4.extadd_pairwise_i16x8_s(a1));
        i2 = i32x4.add(i2, i32x4.extadd_pairwise_i16x8_s(a2));
        i3 = i32x4.add(i3, i32x4.extadd_pairwise_i16x8_s(a3));
        j0 = i32x4.add(j0, i32x4.extadd_pairwise_i16x8_s(b0));
        j1 = i32x4.add(j1, i32x4.extadd_pairwise_i16x8_s(b1));
        j2 = i32x4.add(j2, i32x4.extadd_pairwise_i16x8_s(b2));
        j3 = i32x4.add(j3, i32x4.extadd_pairwise_i16x8_s(b3));
      }
      let c = scales(w + (h << 4));
      f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(i0), c));
      f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(i1), c));
      f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(i2), c));
      f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(i3), c));
      c = scales(w + (h << 4) + 8);
      g0 = f32x4.add(g0, f32x4.mul(f32x4.convert_i32x4_s(j0), c));
      g1 = f32x4.add(g1, f32x4.mul(f32x4.convert_i32x4_s(j1), c));
      g2 = f32x4.add(g2, f32x4.mul(f32x4.convert_i32x4_s(j2), c));
      g3 = f32x4.add(g3, f32x4.mul(f32x4.convert_i32x4_s(j3), c));
    }
    const row = (b << 4) + ((<u32>h) << 3);
    Finish.pair(op, t, row, token, f0, g0);
    Finish.pair(op, t + 1, row, token + step, f1, g1);
    Finish.pair(op, t + 2, row, token + 2 * step, f2, g2);
    Finish.pair(op, t + 3, row, token + 3 * step, f3, g3);
    Finish.rest(op, t, row);
  }
}

/** −8 · Σx of 64 activations: two zero-point words. */
function zero64(z: usize): v128 {
  return i16x8.add(v128.load32_splat(z), v128.load32_splat(z, 4));
}
