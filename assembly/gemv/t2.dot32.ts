// y = x Wᵀ (+ bias) (+ residual); W t2, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
import { Dot32 } from "../lib/dot.relaxed";
import { stream } from "../lib/product.simd";
import { Ternary } from "../lib/t2.relaxed";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Ternary<Dot32>>(p, unit, units);
}
