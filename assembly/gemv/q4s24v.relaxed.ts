// y = x Wᵀ (+ bias) (+ residual); W q4s24v, x u7tok with panel windows. A unit owns blocks of 16 rows, for all tokens.
import { Pairs } from "../lib/gather.relaxed";
import { stream } from "../lib/product.simd";
import { Shared4 } from "../lib/shared4.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Shared4<Pairs>>(p, unit, units);
}
