// Ways to add the product of 16 int8 activations and as many codes 0…15 of one row (q4n) to sums. This one on i16 lanes.

/** A class without fields; changetype<C>(0) calls its methods. */
export interface RowCodes {
  /** Bytes of codes of whose one nibble a sum can take the products before it is taken over into i32. */
  run(): usize;
  /** sums + x[0 … 16) · codes. */
  plus(sums: v128, x: usize, codes: v128): v128;
  /** The sums as i32. */
  total(sums: v128): v128;
}

export class WideCodes implements RowCodes {
  run(): usize {
    return usize.MAX_VALUE;
  }
  plus(sums: v128, x: usize, codes: v128): v128 {
    sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x), i16x8.extend_low_i8x16_u(codes)));
    return i32x4.add(sums, i32x4.dot_i16x8_s(v128.load_ext<i8>(x, 8), i16x8.extend_high_i8x16_u(codes)));
  }
  total(sums: v128): v128 {
    return sums;
  }
}
