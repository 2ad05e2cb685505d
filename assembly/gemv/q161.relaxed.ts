// y = x Wᵀ (+ bias) (+ residual); W q161, x split161 (codes). A unit owns blocks of 16 rows, for all tokens.
import { Dot16 } from "../lib/dot.relaxed";
import { stream } from "../lib/product.simd";
import { Split } from "../lib/q161.relaxed";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Split<Dot16>>(p, unit, units);
}
