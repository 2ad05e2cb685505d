// softplus v = log(1 + e^v), computed as max(v, 0) + log(1 + e^(−|v|)): relative error below 5e-7 (test/kernels/softplus.test.ts); 0 below −87.3.
import * as C from "./coefficients";
import { exp } from "./math.scalar";

/** v becomes softplus(v + bias); v, bias f32 [k]. */
export function softplusRow(v: usize, bias: usize, k: u32): void {
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) {
    store<f32>(v + i, Softplus.of(load<f32>(v + i) + load<f32>(bias + i)));
  }
}

export class Softplus {
  @inline
  static of(x: f32): f32 {
    return (x < 0 ? 0 : x) + Softplus.log1p(exp(-abs<f32>(x)));
  }

  /** log(1 + u), 0 ≤ u ≤ 1. */
  @inline
  private static log1p(u: f32): f32 {
    const s = u / (u + 2);
    const q = s * s;
    let p = C.LOG1P_L3 * q + C.LOG1P_L2;
    p = p * q + C.LOG1P_L1;
    p = p * q + C.LOG1P_L0;
    return s * q * p + (s + s);
  }
}
