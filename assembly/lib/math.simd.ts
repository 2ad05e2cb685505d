// Elementary functions over vectors of f32; the operations and their order are those of math.scalar.ts, so the bits are.
// pmin and pmax are one instruction where min and max are six; a NaN in their first operand stays.
// exp comes as a loop because it is too large for the compiler to inline at several places, and a call costs as much as it does.
import * as V from "./constants";
import { exp } from "./math.scalar";

/** s[i] becomes e^(s[i] − shift), s f32 [k]. */
export function expRow(s: usize, k: u32, shift: f32): void {
  const end = s + ((<usize>k) << 2);
  const shifts = f32x4.splat(shift);
  for (; s + 16 <= end; s += 16) v128.store(s, exp4(f32x4.sub(v128.load(s), shifts)));
  for (; s < end; s += 4) store<f32>(s, exp(load<f32>(s) - shift));
}

function exp4(x: v128): v128 {
  const v = f32x4.pmin(x, v128.load(V.V_EXP_MAX));
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
  const v = f32x4.pmax(f32x4.pmin(x, most), f32x4.neg(most));
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
