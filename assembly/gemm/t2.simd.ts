// As gemv/t2, with the weights unpacked once for 4 tokens. Same bits.
import { tiled } from "../lib/product.simd";
import { TernaryPairs } from "../lib/t2pairs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<TernaryPairs>(p, unit, units);
}
