// As gemv/f16, with the weights converted once for 4 tokens. Same bits: each lane adds over k in order.
import { Floats, Half } from "../lib/floats.simd";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Floats<Half>>(p, unit, units);
}
