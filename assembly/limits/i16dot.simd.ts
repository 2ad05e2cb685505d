// Limit of the machine: the i16 dot product and its addition. 8 multiply-adds an instruction (lib/chains.simd).
import { chains, Link } from "../lib/chains.simd";

class I16 implements Link {
  plus(acc: v128, p: v128, v: v128): v128 {
    return i32x4.add(acc, i32x4.dot_i16x8_s(p, v));
  }
  sum(a: v128, b: v128): v128 {
    return i32x4.add(a, b);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  chains<I16>(p, unit, units);
}
