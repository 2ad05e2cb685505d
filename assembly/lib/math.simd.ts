// Elementary functions over vectors of f32; the operations and their order are those of math.scalar.ts, so the bits are.
// pmin and pmax are one instruction where min and max are six; a NaN in their first operand stays.
// exp comes as a loop because it is too large for the compiler to inline at several places, and a call costs as much as it does.
import * as V from "./constants";
import { exp } from "./math.scalar";

/** s[i] becomes e^(s[i] − shift), s f32 [k]. Two vectors a turn share each constant that is loaded. */
export function expRow(s: usize, k: u32, shift: f32): void {
  const end = s + ((<usize>k) << 2);
  const shifts = f32x4.splat(shift);
  for (; s + 32 <= end; s += 32) expEight(s, shifts);
  for (; s < end; s += 4) store<f32>(s, exp(load<f32>(s) - shift));
}

function expEight(s: usize, shifts: v128): void {
  const x = f32x4.sub(v128.load(s), shifts);
  const y = f32x4.sub(v128.load(s, 16), shifts);
  let c = v128.load(V.V_EXP_MAX);
  const v = f32x4.pmin(x, c);
  const w = f32x4.pmin(y, c);
  c = v128.load(V.V_LOG2E);
  const round = v128.load(V.V_ROUND);
  const z = f32x4.add(f32x4.mul(v, c), round);
  const u = f32x4.add(f32x4.mul(w, c), round);
  const n = f32x4.sub(z, round);
  const m = f32x4.sub(u, round);
  c = v128.load(V.V_LN2_HIGH);
  let r = f32x4.sub(v, f32x4.mul(n, c));
  let q = f32x4.sub(w, f32x4.mul(m, c));
  c = v128.load(V.V_LN2_LOW);
  r = f32x4.sub(r, f32x4.mul(n, c));
  q = f32x4.sub(q, f32x4.mul(m, c));
  c = v128.load(V.V_EXP_C6);
  let a = f32x4.mul(c, r);
  let b = f32x4.mul(c, q);
  c = v128.load(V.V_EXP_C5);
  a = f32x4.mul(f32x4.add(a, c), r);
  b = f32x4.mul(f32x4.add(b, c), q);
  c = v128.load(V.V_EXP_C4);
  a = f32x4.mul(f32x4.add(a, c), r);
  b = f32x4.mul(f32x4.add(b, c), q);
  c = v128.load(V.V_EXP_C3);
  a = f32x4.mul(f32x4.add(a, c), r);
  b = f32x4.mul(f32x4.add(b, c), q);
  c = v128.load(V.V_EXP_C2);
  a = f32x4.mul(f32x4.mul(r, r), f32x4.add(a, c));
  b = f32x4.mul(f32x4.mul(q, q), f32x4.add(b, c));
  c = v128.load(V.F32_ONE);
  a = f32x4.add(f32x4.add(a, r), c);
  b = f32x4.add(f32x4.add(b, q), c);
  a = f32x4.mul(a, i32x4.add(i32x4.shl(z, 23), c));
  b = f32x4.mul(b, i32x4.add(i32x4.shl(u, 23), c));
  c = v128.load(V.V_EXP_ZERO);
  v128.store(s, v128.andnot(a, f32x4.lt(x, c)));
  v128.store(s, v128.andnot(b, f32x4.lt(y, c)), 16);
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
