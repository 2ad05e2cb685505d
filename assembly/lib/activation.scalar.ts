// Activation functions, and one row of y = f(g) · u; kinds as in runtime/ops/activate/op.ts.
import * as C from "./coefficients";
import { exp } from "./math.scalar";

export const SILU: u32 = 0;
export const GELU: u32 = 1;
export const GELU_TANH: u32 = 2;
export const RELU: u32 = 3;
export const RELU2: u32 = 4;
export const SIGMOID: u32 = 5;

/** g, u, y f32 [k]; u = 0: not gated; y may be g or u. */
export function activateRow(kind: u32, g: usize, u: usize, y: usize, k: u32): void {
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) {
    const f = activation(kind, load<f32>(g + i));
    store<f32>(y + i, u ? f * load<f32>(u + i) : f);
  }
}

export function activation(kind: u32, x: f32): f32 {
  if (kind == SILU) return silu(x);
  if (kind == GELU) return gelu(x);
  if (kind == GELU_TANH) return geluTanh(x);
  if (kind == SIGMOID) return 1 / (1 + exp(-x));
  const positive: f32 = x < 0 ? 0 : x;
  return kind == RELU ? positive : positive * positive;
}

/** x / (1 + e^(−x)), relative error below 2e-7; −0 below −88.4. */
export function silu(x: f32): f32 {
  return x / (1 + exp(-x));
}

/** x·(1 + tanh(√(2/π)·(x + 0.044715 x³))) / 2, which is x / (1 + e^(−2√(2/π)·(…))): no cancellation, absolute error below 7e-7. */
function geluTanh(x: f32): f32 {
  return x / (1 + exp(-(x * (x * x * C.GELU_3 + C.GELU_1))));
}

/** x·Φ(x), absolute error below 6e-7; the upper tail of Φ is a polynomial times e^(−x²/2). */
function gelu(x: f32): f32 {
  const z = abs<f32>(x) * C.SQRT_HALF;
  const t: f32 = 1 / (z * C.ERF_T + 1);
  let p = C.ERF_A5 * t + C.ERF_A4;
  p = p * t + C.ERF_A3;
  p = p * t + C.ERF_A2;
  p = p * t + C.ERF_A1;
  const tail = p * t * exp(-(z * z)) * 0.5;
  return x * (x < 0 ? tail : 1 - tail);
}
