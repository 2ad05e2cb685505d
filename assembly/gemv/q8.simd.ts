// y = x Wᵀ (+ bias) (+ residual); W q8, x i8tok with panel pairs. A unit owns blocks of 16 rows, for all tokens.
import { PanelBytes } from "../lib/bytes.simd";
import { stream } from "../lib/product.simd";
import { Row } from "../lib/runs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<PanelBytes<Row>>(p, unit, units);
}
