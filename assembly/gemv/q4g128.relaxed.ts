// y = x Wᵀ (+ bias) (+ residual); W q4g128, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
import { Halves } from "../lib/halves.relaxed";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Halves>(p, unit, units);
}
