// Sums of products with int8 codes as the i8 caches hold them: lines of 64 bytes are 16 lanes (positions of a tile of keys, elements of values) of four
// codes each, and a line is met by four whole numbers 0 … 16383 of each of one or three heads. Exact: any order gives the same.

/** How the numbers are kept and multiplied; a class without fields, changetype<D>(0) calls its methods. */
export interface Sums {
  /** Keeps numbers i … i + 15 of `count` (i a multiple of 16): four vectors of i32. 2 bytes a number from `codes` on. */
  put(codes: usize, count: usize, i: usize, a: v128, b: v128, c: v128, d: v128): void;
  /** Keeps number i. */
  putOne(codes: usize, count: usize, i: usize, x: i32): void;
  /**
   * sums[head][lane] = Σ numbers · codes over `quads` lines `stride` bytes apart, i32 [heads, 16]; the numbers of heads are `apart` bytes from one
   * another.
   */
  three(x: usize, count: usize, apart: usize, line: usize, stride: usize, quads: usize, sums: usize): void;
  one(x: usize, count: usize, line: usize, stride: usize, quads: usize, sums: usize): void;
}

/** Numbers of 16 bits, codes widened to 16. A product's lanes are pairs of codes. */
export class Wide implements Sums {
  put(codes: usize, _count: usize, i: usize, a: v128, b: v128, c: v128, d: v128): void {
    v128.store(codes + (i << 1), i16x8.narrow_i32x4_s(a, b));
    v128.store(codes + (i << 1), i16x8.narrow_i32x4_s(c, d), 16);
  }
  putOne(codes: usize, _count: usize, i: usize, x: i32): void {
    store<i16>(codes + (i << 1), <i16>x);
  }
  /** Four lanes at a time: as many sums as stay in registers. */
  three(x: usize, _count: usize, apart: usize, line: usize, stride: usize, quads: usize, sums: usize): void {
    const end = x + (quads << 3);
    for (const last = line + 64; line < last; line += 16) {
      let a = i32x4.splat(0);
      let b = a;
      let c = a;
      let d = a;
      let e = a;
      let f = a;
      let p = line;
      for (let q = x; q < end; q += 8) {
        const y = v128.load8x8_s(p);
        const z = v128.load8x8_s(p, 8);
        let u = v128.load64_splat(q);
        a = i32x4.add(a, i32x4.dot_i16x8_s(y, u));
        b = i32x4.add(b, i32x4.dot_i16x8_s(z, u));
        u = v128.load64_splat(q + apart);
        c = i32x4.add(c, i32x4.dot_i16x8_s(y, u));
        d = i32x4.add(d, i32x4.dot_i16x8_s(z, u));
        u = v128.load64_splat(q + 2 * apart);
        e = i32x4.add(e, i32x4.dot_i16x8_s(y, u));
        f = i32x4.add(f, i32x4.dot_i16x8_s(z, u));
        p += stride;
      }
      v128.store(sums, pairs(a, b));
      v128.store(sums, pairs(c, d), 64);
      v128.store(sums, pairs(e, f), 128);
      sums += 16;
    }
  }
  one(x: usize, _count: usize, line: usize, stride: usize, quads: usize, sums: usize): void {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    for (const end = x + (quads << 3); x < end; x += 8) {
      const u = v128.load64_splat(x);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load8x8_s(line), u));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load8x8_s(line, 8), u));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load8x8_s(line, 16), u));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load8x8_s(line, 24), u));
      e = i32x4.add(e, i32x4.dot_i16x8_s(v128.load8x8_s(line, 32), u));
      f = i32x4.add(f, i32x4.dot_i16x8_s(v128.load8x8_s(line, 40), u));
      g = i32x4.add(g, i32x4.dot_i16x8_s(v128.load8x8_s(line, 48), u));
      h = i32x4.add(h, i32x4.dot_i16x8_s(v128.load8x8_s(line, 56), u));
      line += stride;
    }
    storeHalf(a, b, c, d, sums);
    storeHalf(e, f, g, h, sums + 32);
  }
}

/** Lanes of two vectors whose lanes are halves of them. */
function pairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

/** Eight lanes. */
function storeHalf(a: v128, b: v128, c: v128, d: v128, sums: usize): void {
  v128.store(sums, pairs(a, b));
  v128.store(sums, pairs(c, d), 16);
}
