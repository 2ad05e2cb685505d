// Limit of the machine: the relaxed dot product with its addition into 32 bits. 16 multiply-adds an instruction (lib/chains.simd).
import { chains, Link } from "../lib/chains.simd";

class RelaxedInto32 implements Link {
  plus(acc: v128, p: v128, v: v128): v128 {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(p, v, acc);
  }
  sum(a: v128, b: v128): v128 {
    return i32x4.add(a, b);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  chains<RelaxedInto32>(p, unit, units);
}
