// y = x Wᵀ (+ bias) (+ residual); W q8g32, x i8g32 with panel pairs. A unit owns blocks of 16 rows, for all tokens.
import { PanelBytes } from "../lib/bytes.simd";
import { stream } from "../lib/product.simd";
import { ScaledRun32 } from "../lib/runs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<PanelBytes<ScaledRun32>>(p, unit, units);
}
