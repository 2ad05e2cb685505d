// y = x Wᵀ (+ bias) (+ residual); W q161, x split161 (panel). A unit owns blocks of 16 rows, for all tokens.
import { stream } from "../lib/product.simd";
import { Pairs } from "../lib/q161pairs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Pairs>(p, unit, units);
}
