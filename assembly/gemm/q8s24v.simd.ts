// As gemv/q8s24v, with the places and weights unpacked once for 4 tokens. Same bits.
import { Plain } from "../lib/gather.simd";
import { tiled } from "../lib/product.simd";
import { Shared8 } from "../lib/shared8.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Shared8<Plain>>(p, unit, units);
}
