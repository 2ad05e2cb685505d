// Sums of a relaxed dot D whose codes were used where they stand, 2^f times too great: added up and divided, exactly.
import { Dot } from "./dot.relaxed";

/** a + b. */
export function both<D extends Dot>(a: v128, b: v128): v128 {
  return changetype<D>(0).narrow() ? i16x8.add(a, b) : i32x4.add(a, b);
}

/** a / 2^bits, which has no remainder. */
export function shrunk<D extends Dot>(a: v128, bits: i32): v128 {
  return changetype<D>(0).narrow() ? i16x8.shr_s(a, bits) : i32x4.shr_s(a, bits);
}
