// Sums of products with int8 codes where a dot product into i32 is one instruction: a number 0 … 16383 is two of 7 bits, number = 128 · high + low, each
// the unsigned operand of relaxed dot products.
import { Sums } from "./codesums.simd";
import { I16_LOW7 } from "./constants";

/** sums + codes · numbers. */
function plus(sums: v128, codes: v128, numbers: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(codes, numbers, sums);
}

/** High parts of `count` numbers, then the low ones. */
export class Split implements Sums {
  put(codes: usize, count: usize, i: usize, a: v128, b: v128, c: v128, d: v128): void {
    const low = v128.load(I16_LOW7);
    const x = i16x8.narrow_i32x4_s(a, b);
    const y = i16x8.narrow_i32x4_s(c, d);
    v128.store(codes + i, i8x16.narrow_i16x8_u(i16x8.shr_u(x, 7), i16x8.shr_u(y, 7)));
    v128.store(codes + count + i, i8x16.narrow_i16x8_u(v128.and(x, low), v128.and(y, low)));
  }
  putOne(codes: usize, count: usize, i: usize, x: i32): void {
    store<u8>(codes + i, <u8>(x >> 7));
    store<u8>(codes + count + i, <u8>(x & 127));
  }
  /** Eight lanes at a time, both parts at once: as many sums as stay in registers. */
  three(x: usize, count: usize, apart: usize, line: usize, stride: usize, quads: usize, sums: usize): void {
    const end = x + (quads << 2);
    for (const last = line + 64; line < last; line += 32) {
      let a = i32x4.splat(0);
      let b = a;
      let c = a;
      let d = a;
      let e = a;
      let f = a;
      let g = a;
      let h = a;
      let i = a;
      let j = a;
      let k = a;
      let l = a;
      let p = line;
      for (let q = x; q < end; q += 4) {
        const y = v128.load(p);
        const z = v128.load(p, 16);
        let u = v128.load32_splat(q);
        a = plus(a, y, u);
        b = plus(b, z, u);
        let r = q + count;
        u = v128.load32_splat(r);
        c = plus(c, y, u);
        d = plus(d, z, u);
        r = q + apart;
        u = v128.load32_splat(r);
        e = plus(e, y, u);
        f = plus(f, z, u);
        r += count;
        u = v128.load32_splat(r);
        g = plus(g, y, u);
        h = plus(h, z, u);
        r = q + 2 * apart;
        u = v128.load32_splat(r);
        i = plus(i, y, u);
        j = plus(j, z, u);
        r += count;
        u = v128.load32_splat(r);
        k = plus(k, y, u);
        l = plus(l, z, u);
        p += stride;
      }
      storeBoth(a, b, c, d, sums);
      storeBoth(e, f, g, h, sums + 64);
      storeBoth(i, j, k, l, sums + 128);
      sums += 32;
    }
  }
  one(x: usize, count: usize, line: usize, stride: usize, quads: usize, sums: usize): void {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    for (const end = x + (quads << 2); x < end; x += 4) {
      const u = v128.load32_splat(x);
      const v = v128.load32_splat(x + count);
      let y = v128.load(line);
      a = plus(a, y, u);
      e = plus(e, y, v);
      y = v128.load(line, 16);
      b = plus(b, y, u);
      f = plus(f, y, v);
      y = v128.load(line, 32);
      c = plus(c, y, u);
      g = plus(g, y, v);
      y = v128.load(line, 48);
      d = plus(d, y, u);
      h = plus(h, y, v);
      line += stride;
    }
    storeBoth(a, b, e, f, sums);
    storeBoth(c, d, g, h, sums + 32);
  }
}

/** Eight lanes: sums over high parts a, b and over low parts c, d. */
function storeBoth(a: v128, b: v128, c: v128, d: v128, sums: usize): void {
  v128.store(sums, i32x4.add(i32x4.shl(a, 7), c));
  v128.store(sums, i32x4.add(i32x4.shl(b, 7), d), 16);
}
