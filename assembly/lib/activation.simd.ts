// One row of y = f(g) · u; kinds as in runtime/ops/activate/op.ts, functions as in activation.scalar.ts.
// The row is passed over several times, with y for what lies between: exponents, their exponentials, the quotient, the gate.
import { activation, GELU, GELU_TANH, RELU, RELU2, SIGMOID, SILU } from "./activation.scalar";
import * as V from "./constants";
import { expRow } from "./math.simd";

/** g, u, y f32 [k]; u = 0: not gated; y is neither g nor u. */
export function activateRow(kind: u32, g: usize, u: usize, y: usize, k: u32): void {
  const whole = ((<usize>k) << 2) & ~15;
  if (kind == RELU || kind == RELU2) reluRow(g, y, whole, kind == RELU2);
  else {
    if (kind == SILU || kind == SIGMOID) negatives(g, y, whole);
    else if (kind == GELU_TANH) geluTanhExponents(g, y, whole);
    else geluExponents(g, y, whole);
    expRow(y, k & ~3, 0);
    if (kind == GELU) geluRow(g, y, whole);
    else if (kind == SIGMOID) reciprocals(y, whole);
    else quotients(g, y, whole);
  }
  if (u) gate(y, u, whole);
  for (let i = whole; i < (<usize>k) << 2; i += 4) {
    const f = activation(kind, load<f32>(g + i));
    store<f32>(y + i, u ? f * load<f32>(u + i) : f);
  }
}

function negatives(g: usize, y: usize, bytes: usize): void {
  const sign = v128.load(V.F32_SIGN);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, v128.xor(v128.load(g + i), sign));
}

function geluTanhExponents(g: usize, y: usize, bytes: usize): void {
  const sign = v128.load(V.F32_SIGN);
  const g1 = v128.load(V.V_GELU_1);
  const g3 = v128.load(V.V_GELU_3);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(g + i);
    v128.store(y + i, v128.xor(f32x4.mul(x, f32x4.add(f32x4.mul(f32x4.mul(x, x), g3), g1)), sign));
  }
}

function geluExponents(g: usize, y: usize, bytes: usize): void {
  const sign = v128.load(V.F32_SIGN);
  const root = v128.load(V.V_SQRT_HALF);
  for (let i: usize = 0; i < bytes; i += 16) {
    const z = f32x4.mul(v128.andnot(v128.load(g + i), sign), root);
    v128.store(y + i, v128.xor(f32x4.mul(z, z), sign));
  }
}

/** y = g / (1 + y). */
function quotients(g: usize, y: usize, bytes: usize): void {
  const one = v128.load(V.F32_ONE);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, f32x4.div(v128.load(g + i), f32x4.add(one, v128.load(y + i))));
}

/** y = 1 / (1 + y). */
function reciprocals(y: usize, bytes: usize): void {
  const one = v128.load(V.F32_ONE);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, f32x4.div(one, f32x4.add(one, v128.load(y + i))));
}

/** y = g · Φ(g), where y was e^(−g²/2). */
function geluRow(g: usize, y: usize, bytes: usize): void {
  const one = v128.load(V.F32_ONE);
  const half = v128.load(V.F32_HALF);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(g + i);
    const z = f32x4.mul(v128.and(x, v128.load(V.F32_ABS)), v128.load(V.V_SQRT_HALF));
    const t = f32x4.div(one, f32x4.add(f32x4.mul(z, v128.load(V.V_ERF_T)), one));
    let p = f32x4.add(f32x4.mul(v128.load(V.V_ERF_A5), t), v128.load(V.V_ERF_A4));
    p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A3));
    p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A2));
    p = f32x4.add(f32x4.mul(p, t), v128.load(V.V_ERF_A1));
    const tail = f32x4.mul(f32x4.mul(f32x4.mul(p, t), v128.load(y + i)), half);
    v128.store(y + i, f32x4.mul(x, v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, v128.xor(one, one)))));
  }
}

function reluRow(g: usize, y: usize, bytes: usize, squared: bool): void {
  const zero = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const positive = f32x4.pmax(v128.load(g + i), zero);
    v128.store(y + i, squared ? f32x4.mul(positive, positive) : positive);
  }
}

/** y ·= u. */
function gate(y: usize, u: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), v128.load(u + i)));
}
