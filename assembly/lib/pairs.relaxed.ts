// As pairs.simd.ts by the relaxed dot product.
import { Pairs } from "./pairs.simd";

export class DotPairs implements Pairs {
  even(x: usize): v128 {
    return v128.load16_splat(x);
  }
  odd(x: usize): v128 {
    return v128.load16_splat(x);
  }
  plus(sums: v128, even: v128, _odd: v128, codes: v128): v128 {
    return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(even, codes));
  }
}
