// y = x Wᵀ (+ bias) (+ residual); W q4g32, x i8g32 (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
import { Dot16 } from "../lib/dot.relaxed";
import { Group32, Scaled } from "../lib/groups.simd";
import { Nibbles } from "../lib/nibbles.relaxed";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Nibbles<Scaled<Group32>, Dot16>>(p, unit, units);
}
