// As gemv/q4g32m_i8g32, with the weights unpacked once for 4 tokens. Same bits.
import { Dot16 } from "../lib/dot.relaxed";
import { Minimum32, Scaled } from "../lib/groups.simd";
import { Nibbles } from "../lib/nibbles.relaxed";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Nibbles<Scaled<Minimum32>, Dot16>>(p, unit, units);
}
