// As gemv/q161, with the weights unpacked once for 4 tokens. Same bits.
import { tiled } from "../lib/product.simd";
import { Pairs } from "../lib/q161pairs.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Pairs>(p, unit, units);
}
