// Two ways to add the product of int8 activations and codes 0…127 to sums; exact and the same on every engine.
import { Group } from "./groups.simd";

/** A class without fields; changetype<D>(0) calls its methods. */
export interface Dot {
  /** Are sums kept as pairs of i16? */
  narrow(): bool;
  /** sums + x · codes: 4 activations of 8 bits with 4 codes a lane of 32 bits. */
  plus(sums: v128, x: v128, codes: v128): v128;
  /** The sums as i32. */
  total(sums: v128): v128;
}

/**
 * Pairs of i16: one multiplication and one addition on any engine. They may wrap on the way: a true sum of 64 codes −8…7 fits,
 * 32 · 8 · 127 = 32512 < 2^15. A pair in the dot cannot saturate, 2 · 15 · 127 = 3810.
 */
export class Dot16 implements Dot {
  narrow(): bool {
    return true;
  }
  plus(sums: v128, x: v128, codes: v128): v128 {
    return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(x, codes));
  }
  total(sums: v128): v128 {
    return i32x4.extadd_pairwise_i16x8_s(sums);
  }
}

/** i32: one instruction where isa dot32 is chosen, five elsewhere. */
export class Dot32 implements Dot {
  narrow(): bool {
    return false;
  }
  plus(sums: v128, x: v128, codes: v128): v128 {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, codes, sums);
  }
  total(sums: v128): v128 {
    return sums;
  }
}

/** What the sums of a group start from; z = its words in an i8tok row. */
export function zero<G extends Group, D extends Dot>(z: usize): v128 {
  return changetype<D>(0).narrow() ? changetype<G>(0).zero16(z) : changetype<G>(0).zero(z);
}
