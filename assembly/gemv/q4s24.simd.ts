// y = x Wᵀ (+ bias) (+ residual); W q4s24, x u7tok with panel windows. A unit owns blocks of 16 rows, for all tokens.
import { Plain } from "../lib/gather.simd";
import { stream } from "../lib/product.simd";
import { Rows4 } from "../lib/rows4.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Rows4<Plain>>(p, unit, units);
}
