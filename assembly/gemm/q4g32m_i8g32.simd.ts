// As gemv/q4g32m_i8g32, with the weights unpacked once for 4 tokens. Same bits.
import { Minimum32, Scaled } from "../lib/groups.simd";
import { PanelNibbles } from "../lib/nibbles.simd";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<PanelNibbles<Scaled<Minimum32>>>(p, unit, units);
}
