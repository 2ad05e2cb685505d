// As rowcodes.simd.ts by the relaxed dot product: pairs of i16, of which 4 times 32 codes fit, 4 · 4 · 127 · 15 = 30480 < 2^15.
import { RowCodes } from "./rowcodes.simd";

export class NarrowCodes implements RowCodes {
  run(): usize {
    return 64;
  }
  plus(sums: v128, x: usize, low: v128, high: v128): v128 {
    sums = i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(x), low));
    return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(x, 16), high));
  }
  total(sums: v128): v128 {
    return i32x4.extadd_pairwise_i16x8_s(sums);
  }
}
