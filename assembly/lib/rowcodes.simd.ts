// Two ways to add the product of 32 int8 activations and as many codes 0…15 of one row (q4n) to sums. This one on i16 lanes.

/** A class without fields; changetype<C>(0) calls its methods. */
export interface RowCodes {
  /** Bytes of codes after which sums are taken over into i32. */
  run(): usize;
  /** sums + x[0 … 16) · low + x[16 … 32) · high. */
  plus(sums: v128, x: usize, low: v128, high: v128): v128;
  /** The sums as i32. */
  total(sums: v128): v128;
}

export class WideCodes implements RowCodes {
  run(): usize {
    return usize.MAX_VALUE;
  }
  plus(sums: v128, x: usize, low: v128, high: v128): v128 {
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x), i16x8.extend_low_i8x16_u(low)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 8), i16x8.extend_high_i8x16_u(low)));
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 16), i16x8.extend_low_i8x16_u(high)));
    return i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 24), i16x8.extend_high_i8x16_u(high)));
  }
  total(sums: v128): v128 {
    return sums;
  }
}
