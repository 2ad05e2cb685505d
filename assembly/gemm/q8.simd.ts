// As gemv/q8, with the weights unpacked once for 4 tokens. Same bits.
import { PanelBytes } from "../lib/bytes.simd";
import { tiled } from "../lib/product.simd";
import { Row } from "../lib/runs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<PanelBytes<Row>>(p, unit, units);
}
