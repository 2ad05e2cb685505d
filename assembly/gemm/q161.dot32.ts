// As gemv/q161, with the weights unpacked once for 4 tokens. Same bits.
import { Dot32 } from "../lib/dot.relaxed";
import { tiled } from "../lib/product.simd";
import { Split } from "../lib/q161.relaxed";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Split<Dot32>>(p, unit, units);
}
