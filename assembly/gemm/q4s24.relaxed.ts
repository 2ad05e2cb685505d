// As gemv/q4s24, with the places and weights unpacked once for 8 tokens. Same bits.
import { Pairs } from "../lib/gather.relaxed";
import { tiledBy } from "../lib/product.simd";
import { Rows4 } from "../lib/rows4.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiledBy<Rows4<Pairs>>(p, unit, units, 8);
}
