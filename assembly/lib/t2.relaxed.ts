// Products of t2 weights with i8tok activations by the relaxed dot D: fields of 2 bits are its operand 0…127. Lanes are rows.
// Fields 1 and 3 are used where they stand in a nibble, as 4 · (code + 1), and their sum is divided by 4 before that of fields 0 and 2 is added: it
// is divisible. Lanes of 16 bits wrap but on the way: 4 · 2 · 127 · 32 = 32512 for 32 weights of −1 … 2, and 2 · 127 · 64 = 16256 in the end.
import { LinearOp } from "../abi.gen";
import { Dot } from "./dot.relaxed";
import { CODES_AT, zAt } from "./i8row";
import { Finish, scales } from "./linear.simd";
import { Product } from "./product.simd";
import { both, shrunk } from "./sums.relaxed";
import { CODES, FIELDS, GROUP_BYTES } from "./t2.simd";

export class Ternary<D extends Dot> implements Product {
  block(op: LinearOp, b: u32, token: u32): void {
    const d = changetype<D>(0);
    const row = <usize>op.x + <usize>token * op.xs;
    const bytes = ((<usize>op.k + 127) >> 7) * GROUP_BYTES;
    const lower = v128.load(FIELDS);
    const upper = v128.load(FIELDS + 16);
    let w = <usize>op.w + <usize>b * bytes;
    let x = row + CODES_AT;
    let z = row + zAt(op.k);
    let f0 = f32x4.splat(0);
    let f1 = f0;
    let f2 = f0;
    let f3 = f0;
    for (const end = w + bytes; w < end; w += GROUP_BYTES) {
      let a0 = from<D>(z, 1);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = from<D>(z, 0);
      let b1 = b0;
      let b2 = b0;
      let b3 = b0;
      let q = w + CODES;
      for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
        const up = v128.load32_splat(x, 96);
        const low = v128.load32_splat(x, 64);
        x += 4;
        let v = i16x8.shr_u(v128.load(q), 4);
        a0 = d.plus(a0, up, v128.and(v, upper));
        b0 = d.plus(b0, low, v128.and(v, lower));
        v = i16x8.shr_u(v128.load(q, 16), 4);
        a1 = d.plus(a1, up, v128.and(v, upper));
        b1 = d.plus(b1, low, v128.and(v, lower));
        v = i16x8.shr_u(v128.load(q, 32), 4);
        a2 = d.plus(a2, up, v128.and(v, upper));
        b2 = d.plus(b2, low, v128.and(v, lower));
        v = i16x8.shr_u(v128.load(q, 48), 4);
        a3 = d.plus(a3, up, v128.and(v, upper));
        b3 = d.plus(b3, low, v128.and(v, lower));
      }
      q = w + CODES;
      x -= 32;
      for (const stop = w + GROUP_BYTES; q < stop; q += 64) {
        const up = v128.load32_splat(x, 32);
        const low = v128.load32_splat(x);
        x += 4;
        let v = v128.load(q);
        a0 = d.plus(a0, up, v128.and(v, upper));
        b0 = d.plus(b0, low, v128.and(v, lower));
        v = v128.load(q, 16);
        a1 = d.plus(a1, up, v128.and(v, upper));
        b1 = d.plus(b1, low, v128.and(v, lower));
        v = v128.load(q, 32);
        a2 = d.plus(a2, up, v128.and(v, upper));
        b2 = d.plus(b2, low, v128.and(v, lower));
        v = v128.load(q, 48);
        a3 = d.plus(a3, up, v128.and(v, upper));
        b3 = d.plus(b3, low, v128.and(v, lower));
      }
      f0 = times<D>(f0, both<D>(shrunk<D>(a0, 2), b0), w);
      f1 = times<D>(f1, both<D>(shrunk<D>(a1, 2), b1), w + 8);
      f2 = times<D>(f2, both<D>(shrunk<D>(a2, 2), b2), w + 16);
      f3 = times<D>(f3, both<D>(shrunk<D>(a3, 2), b3), w + 24);
      x += 96;
      z += 16;
    }
    Finish.block(op, token, b << 4, row, f0, f1, f2, f3);
  }

  tile(op: LinearOp, b: u32, token: u32): void {
    this.half(op, b, 0, token);
    this.half(op, b, 1, token);
  }

  /** Rows [16b + 8h, + 8) of 4 tokens: fields 3, 1, 2, 0 in turn, as more at a time spill. */
  private half(op: LinearOp, b: u32, h: usize, t: u32): void {
    const d = changetype<D>(0);
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
      let a0 = i32x4.splat(0);
      let a1 = a0;
      let a2 = a0;
      let a3 = a0;
      let b0 = a0;
      let b1 = a0;
      let b2 = a0;
      let b3 = a0;
      for (let f = 1; f >= 0; f--) {
        const field = v128.load(FIELDS + (f << 4));
        let zero = from<D>(z, f);
        a0 = both<D>(shrunk<D>(a0, 2), zero);
        b0 = both<D>(shrunk<D>(b0, 2), zero);
        zero = from<D>(z + step, f);
        a1 = both<D>(shrunk<D>(a1, 2), zero);
        b1 = both<D>(shrunk<D>(b1, 2), zero);
        zero = from<D>(z + 2 * step, f);
        a2 = both<D>(shrunk<D>(a2, 2), zero);
        b2 = both<D>(shrunk<D>(b2, 2), zero);
        zero = from<D>(z + 3 * step, f);
        a3 = both<D>(shrunk<D>(a3, 2), zero);
        b3 = both<D>(shrunk<D>(b3, 2), zero);
        for (let shift = 4; shift >= 0; shift -= 4) {
          let q = w + CODES + (h << 5);
          let p = x + (f << 5) + (shift << 4);
          for (const stop = q + 512; q < stop; q += 64) {
            const v = v128.and(i16x8.shr_u(v128.load(q), shift), field);
            const u = v128.and(i16x8.shr_u(v128.load(q, 16), shift), field);
            let s = v128.load32_splat(p);
            a0 = d.plus(a0, s, v);
            b0 = d.plus(b0, s, u);
            let y = p + step;
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
            p += 4;
          }
        }
      }
      const at = w + (h << 4);
      f0 = times<D>(f0, a0, at);
      g0 = times<D>(g0, b0, at + 8);
      f1 = times<D>(f1, a1, at);
      g1 = times<D>(g1, b1, at + 8);
      f2 = times<D>(f2, a2, at);
      g2 = times<D>(g2, b2, at + 8);
      f3 = times<D>(f3, a3, at);
      g3 = times<D>(g3, b3, at + 8);
      x += 128;
      z += 16;
    }
    const row = (b << 4) + ((<u32>h) << 3);
    Finish.pair(op, t, row, token, f0, g0);
    Finish.pair(op, t + 1, row, token + step, f1, g1);
    Finish.pair(op, t + 2, row, token + 2 * step, f2, g2);
    Finish.pair(op, t + 3, row, token + 3 * step, f3, g3);
    Finish.rest(op, t, row);
  }
}

/**
 * −4^f · Σx of the activations that fields f and f + 2 of a group meet: what the sum of their codes + 1 starts from. z: the group's
 * zero-point words, which are −8 · Σx of 32 activations each.
 */
function from<D extends Dot>(z: usize, f: i32): v128 {
  const words = i16x8.add(v128.load32_splat(z + (f << 2)), v128.load32_splat(z + (f << 2), 8));
  if (changetype<D>(0).narrow()) return i16x8.shr_s(words, 3 - (f << 1));
  return i32x4.shr_s(i32x4.extadd_pairwise_i16x8_s(words), 3 - (f << 1));
}

/** acc + sums of 4 rows · their scales at `at`. */
function times<D extends Dot>(acc: v128, sums: v128, at: usize): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(changetype<D>(0).total(sums)), scales(at)));
}
