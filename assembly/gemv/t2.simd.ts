// y = x Wᵀ (+ bias) (+ residual); W t2, x i8tok with panel pairs. A unit owns blocks of 16 rows, for all tokens.
import { stream } from "../lib/product.simd";
import { TernaryPairs } from "../lib/t2pairs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<TernaryPairs>(p, unit, units);
}
