// Limit of the machine: the f32 multiply-add, fused where the machine can. 4 multiply-adds an instruction (lib/chains.simd).
import { chains, Link } from "../lib/chains.simd";

class FusedF32 implements Link {
  plus(acc: v128, p: v128, v: v128): v128 {
    return f32x4.relaxed_madd(p, v, acc);
  }
  sum(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  chains<FusedF32>(p, unit, units);
}
