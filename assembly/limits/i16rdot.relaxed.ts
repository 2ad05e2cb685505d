// Limit of the machine: the relaxed dot product into 16 bits and its addition. 16 multiply-adds an instruction (lib/chains.simd).
import { chains, Link } from "../lib/chains.simd";

class RelaxedInto16 implements Link {
  plus(acc: v128, p: v128, v: v128): v128 {
    return i16x8.add(acc, i16x8.relaxed_dot_i8x16_i7x16_s(p, v));
  }
  sum(a: v128, b: v128): v128 {
    return i16x8.add(a, b);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  chains<RelaxedInto16>(p, unit, units);
}
