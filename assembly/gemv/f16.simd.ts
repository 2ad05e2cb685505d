// y = x Wᵀ (+ bias) (+ residual); W f16 in blocks [k][16 rows], x f32. A unit owns blocks of 16 rows, for all tokens.
import { Floats, Half } from "../lib/floats.simd";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Floats<Half>>(p, unit, units);
}
