// As gemv/q4g128, with the weights unpacked once for 4 tokens. Same bits.
import { Group128 } from "../lib/groups.simd";
import { PanelNibbles } from "../lib/nibbles.simd";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<PanelNibbles<Group128>>(p, unit, units);
}
