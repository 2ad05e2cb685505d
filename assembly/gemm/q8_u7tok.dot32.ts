// As gemv/q8_u7tok, each weight read once for 4 tokens. Same bits.
import { Bytes } from "../lib/bytes.relaxed";
import { Quads } from "../lib/gather.relaxed";
import { tiled } from "../lib/product.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiled<Bytes<Quads>>(p, unit, units);
}
