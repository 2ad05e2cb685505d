// As gemv/q4s24v, with the places and weights unpacked once for 4 tokens. Same bits.
import { Pairs } from "../lib/gather.relaxed";
import { tiled } from "../lib/product.simd";
import { Shared4 } from "../lib/shared4.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Shared4<Pairs>>(p, unit, units);
}
