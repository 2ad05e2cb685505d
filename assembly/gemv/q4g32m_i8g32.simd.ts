// y = x Wᵀ (+ bias) (+ residual); W q4g32m, x i8g32 with panel q4. A unit owns blocks of 16 rows, for all tokens.
import { Minimum32, Scaled } from "../lib/groups.simd";
import { PanelNibbles } from "../lib/nibbles.simd";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<PanelNibbles<Scaled<Minimum32>>>(p, unit, units);
}
