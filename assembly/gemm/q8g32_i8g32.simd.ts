// As gemv/q8g32_i8g32, with the weights unpacked once for 4 tokens. Same bits.
import { PanelBytes } from "../lib/bytes.simd";
import { tiled } from "../lib/product.simd";
import { ScaledRun32 } from "../lib/runs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<PanelBytes<ScaledRun32>>(p, unit, units);
}
