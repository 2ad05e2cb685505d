// As gemv/q8s24, with the places and weights unpacked once for 8 tokens. Same bits.
import { Pairs } from "../lib/gather.relaxed";
import { tiledBy } from "../lib/product.simd";
import { Rows8 } from "../lib/rows8.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiledBy<Rows8<Pairs>>(p, unit, units, 8);
}
