// y = x Wᵀ (+ bias) (+ residual); W q8s24, x u7tok with panel windows. A unit owns blocks of 16 rows, for all tokens.
import { Plain } from "../lib/gather.simd";
import { stream } from "../lib/product.simd";
import { Rows8 } from "../lib/rows8.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Rows8<Plain>>(p, unit, units);
}
