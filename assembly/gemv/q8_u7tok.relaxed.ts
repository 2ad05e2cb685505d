// y = x Wᵀ (+ bias) (+ residual); W q8, x u7tok (codes and zero point). A unit owns blocks of 16 rows, for all tokens.
import { Bytes } from "../lib/bytes.relaxed";
import { Pairs } from "../lib/gather.relaxed";
import { stream } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  stream<Bytes<Pairs>>(p, unit, units);
}
