// As gemv/q4g128, with the weights unpacked once for 4 tokens. Same bits.
import { Halves } from "../lib/halves.relaxed";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Halves>(p, unit, units);
}
