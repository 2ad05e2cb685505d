// One row of y = f(g) · u; kinds as in runtime/ops/activate/op.ts.
import { gelu, geluTanh, silu } from "./math.scalar";

const SILU: u32 = 0;
const GELU: u32 = 1;
const GELU_TANH: u32 = 2;
const RELU: u32 = 3;

/** g, u, y f32 [k]; u = 0: not gated; y may be g or u. */
export function activateRow(kind: u32, g: usize, u: usize, y: usize, k: u32): void {
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) {
    const f = activation(kind, load<f32>(g + i));
    store<f32>(y + i, u ? f * load<f32>(u + i) : f);
  }
}

function activation(kind: u32, x: f32): f32 {
  if (kind == SILU) return silu(x);
  if (kind == GELU) return gelu(x);
  if (kind == GELU_TANH) return geluTanh(x);
  const positive = max<f32>(x, 0);
  return kind == RELU ? positive : positive * positive;
}
