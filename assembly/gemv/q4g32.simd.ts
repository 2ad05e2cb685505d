// y = x Wᵀ (+ bias) (+ residual); W q4g32, x i8tok with panel q4. A unit owns blocks of 16 rows, for all tokens.
import { Group32 } from "../lib/groups.simd";
import { PanelNibbles } from "../lib/nibbles.simd";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<PanelNibbles<Group32>>(p, unit, units);
}
