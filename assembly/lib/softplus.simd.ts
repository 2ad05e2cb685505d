// softplus over a row of f32; softplus.scalar.ts says what is computed and gives the same bits.
// The row is passed over three times, with a second row for what lies between: exponents, their exponentials, the logarithms.
import * as V from "./constants";
import { expRow } from "./math.simd";
import { softplusRow as softplusTail } from "./softplus.scalar";

/** v becomes softplus(v + bias); v, bias f32 [k]. `between`, f32 [k], is overwritten. */
export function softplusRow(v: usize, bias: usize, between: usize, k: u32): void {
  const whole = ((<usize>k) << 2) & ~15;
  const sign = v128.load(V.F32_SIGN);
  for (let i: usize = 0; i < whole; i += 16) {
    const x = f32x4.add(v128.load(v + i), v128.load(bias + i));
    v128.store(v + i, x);
    v128.store(between + i, v128.or(x, sign));
  }
  expRow(between, k & ~3, 0);
  for (let i: usize = 0; i < whole; i += 16) v128.store(v + i, f32x4.add(f32x4.pmax(v128.load(v + i), f32x4.splat(0)), log1p(v128.load(between + i))));
  softplusTail(v + whole, bias + whole, k & 3);
}

/** log(1 + u), 0 ≤ u ≤ 1. */
function log1p(u: v128): v128 {
  const s = f32x4.div(u, f32x4.add(u, v128.load(V.F32_TWO)));
  const q = f32x4.mul(s, s);
  let p = f32x4.add(f32x4.mul(v128.load(V.V_LOG1P_L3), q), v128.load(V.V_LOG1P_L2));
  p = f32x4.add(f32x4.mul(p, q), v128.load(V.V_LOG1P_L1));
  p = f32x4.add(f32x4.mul(p, q), v128.load(V.V_LOG1P_L0));
  return f32x4.add(f32x4.mul(f32x4.mul(s, q), p), f32x4.add(s, s));
}
