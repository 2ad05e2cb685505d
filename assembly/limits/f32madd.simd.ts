// Limit of the machine: the f32 product and its addition. 4 multiply-adds an instruction (lib/chains.simd).
import { chains, Link } from "../lib/chains.simd";

class F32 implements Link {
  plus(acc: v128, p: v128, v: v128): v128 {
    return f32x4.add(acc, f32x4.mul(p, v));
  }
  sum(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  chains<F32>(p, unit, units);
}
