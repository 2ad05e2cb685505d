// As rowcodes.simd.ts by relaxed dot products.
import { RowCodes } from "./rowcodes.simd";

/** Pairs of i16, of which 8 times 16 codes fit: 8 · 2 · 127 · 15 = 30480 < 2^15. */
export class NarrowCodes implements RowCodes {
  run(): usize {
    return 128;
  }
  plus(sums: v128, x: usize, codes: v128): v128 {
    return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(x), codes));
  }
  total(sums: v128): v128 {
    return i32x4.extadd_pairwise_i16x8_s(sums);
  }
}

/** i32: one instruction where isa dot32 is chosen. */
export class QuadCodes implements RowCodes {
  run(): usize {
    return usize.MAX_VALUE;
  }
  plus(sums: v128, x: usize, codes: v128): v128 {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(x), codes, sums);
  }
  total(sums: v128): v128 {
    return sums;
  }
}
