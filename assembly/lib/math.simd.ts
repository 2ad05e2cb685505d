// Elementary functions of four f32; the operations and their order are those of math.scalar.ts, so the bits are.
import * as V from "./constants";

/** e^x, relative error ≤ 1.2e-7; 0 below −87.3, +∞ above 88.37. */
export function exp(x: v128): v128 {
  const v = f32x4.min(x, v128.load(V.V_EXP_MAX));
  const z = f32x4.add(f32x4.mul(v, v128.load(V.V_LOG2E)), v128.load(V.V_ROUND));
  const n = f32x4.sub(z, v128.load(V.V_ROUND));
  const r = f32x4.sub(f32x4.sub(v, f32x4.mul(n, v128.load(V.V_LN2_HIGH))), f32x4.mul(n, v128.load(V.V_LN2_LOW)));
  let p = f32x4.add(f32x4.mul(v128.load(V.V_EXP_C6), r), v128.load(V.V_EXP_C5));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP_C4));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP_C3));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP_C2));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r), v128.load(V.F32_ONE));
  const y = f32x4.mul(p, i32x4.add(i32x4.shl(z, 23), v128.load(V.F32_ONE)));
  return v128.andnot(y, f32x4.lt(x, v128.load(V.V_EXP_ZERO)));
}

/** tanh x. */
export function tanh(x: v128): v128 {
  const most = v128.load(V.V_TANH_MAX);
  const v = f32x4.max(f32x4.neg(most), f32x4.min(most, x));
  const s = f32x4.mul(v, v);
  let p = f32x4.add(f32x4.mul(v128.load(V.V_TANH_P6), s), v128.load(V.V_TANH_P5));
  p = f32x4.add(f32x4.mul(p, s), v128.load(V.V_TANH_P4));
  p = f32x4.add(f32x4.mul(p, s), v128.load(V.V_TANH_P3));
  p = f32x4.add(f32x4.mul(p, s), v128.load(V.V_TANH_P2));
  p = f32x4.add(f32x4.mul(p, s), v128.load(V.V_TANH_P1));
  p = f32x4.add(f32x4.mul(p, s), v128.load(V.V_TANH_P0));
  let q = f32x4.add(f32x4.mul(v128.load(V.V_TANH_Q3), s), v128.load(V.V_TANH_Q2));
  q = f32x4.add(f32x4.mul(q, s), v128.load(V.V_TANH_Q1));
  q = f32x4.add(f32x4.mul(q, s), v128.load(V.V_TANH_Q0));
  return f32x4.div(f32x4.mul(v, p), q);
}

/** x / (1 + e^(−x)). */
export function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(v128.load(V.F32_ONE), exp(v128.xor(x, v128.load(V.F32_SIGN)))));
}

/** x·(1 + tanh(√(2/π)·(x + 0.044715 x³))) / 2, which is x / (1 + e^(−2√(2/π)·(…))): no cancellation. */
export function geluTanh(x: v128): v128 {
  const u = f32x4.mul(x, f32x4.add(f32x4.mul(f32x4.mul(x, x), v128.load(V.V_GELU_3)), v128.load(V.V_GELU_1)));
  return f32x4.div(x, f32x4.add(v128.load(V.F32_ONE), exp(v128.xor(u, v128.load(V.F32_SIGN)))));
}

/** x·Φ(x). */
export function gelu(x: v128): v128 {
  const one = v128.load(V.F32_ONE);
  const z = f32x4.mul(v128.and(x, v128.load(V.F32_ABS)), v128.load(V.V_SQRT_HALF));
  const t = f32x4.div(one, f32x4.add(f32x4.mul(z, v128.load(V.V_ERF_T)), one));
  let p = f32x4.add(f32x4.mul(v128.load(V.V_ERF_A5), t), v128.load(V.V_ERF_A4));
  p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A3));
  p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A2));
  p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A1));
  const e = exp(v128.xor(f32x4.mul(z, z), v128.load(V.F32_SIGN)));
  const tail = f32x4.mul(f32x4.mul(f32x4.mul(p, t), e), v128.load(V.F32_HALF));
  const upper = f32x4.sub(one, tail);
  return f32x4.mul(x, v128.bitselect(tail, upper, f32x4.lt(x, v128.xor(one, one))));
}
