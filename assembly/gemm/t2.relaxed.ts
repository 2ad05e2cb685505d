// As gemv/t2, with the weights unpacked once for 4 tokens. Same bits.
import { Dot16 } from "../lib/dot.relaxed";
import { tiled } from "../lib/product.simd";
import { Ternary } from "../lib/t2.relaxed";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Ternary<Dot16>>(p, unit, units);
}
