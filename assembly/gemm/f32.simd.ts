// As gemv/f32, with the weights read once for 4 tokens. Same bits: each lane adds over k in order.
import { Floats, Single } from "../lib/floats.simd";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Floats<Single>>(p, unit, units);
}
