// y = x Wᵀ (+ bias) (+ residual); W q8s24v, x u7tok with panel windows. A unit owns blocks of 16 rows, for all tokens.
import { Plain } from "../lib/gather.simd";
import { stream } from "../lib/product.simd";
import { Shared8 } from "../lib/shared8.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Shared8<Plain>>(p, unit, units);
}
