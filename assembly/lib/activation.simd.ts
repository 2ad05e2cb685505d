// One row of y = f(g) · u; kinds as in runtime/ops/activate/op.ts.
import { gelu, geluTanh, silu } from "./math.simd";
import { loadPart, storePart } from "./tail.simd";

const SILU: u32 = 0;
const GELU: u32 = 1;
const GELU_TANH: u32 = 2;
const RELU: u32 = 3;

/** g, u, y f32 [k]; u = 0: not gated; y may be g or u. */
export function activateRow(kind: u32, g: usize, u: usize, y: usize, k: u32): void {
  const whole = ((<usize>k) << 2) & ~15;
  for (let i: usize = 0; i < whole; i += 16) {
    const f = activation(kind, v128.load(g + i));
    v128.store(y + i, u ? f32x4.mul(f, v128.load(u + i)) : f);
  }
  const left = <usize>k & 3;
  const f = activation(kind, loadPart(g + whole, left));
  storePart(y + whole, u ? f32x4.mul(f, loadPart(u + whole, left)) : f, left);
}

function activation(kind: u32, x: v128): v128 {
  if (kind == SILU) return silu(x);
  if (kind == GELU) return gelu(x);
  if (kind == GELU_TANH) return geluTanh(x);
  const positive = f32x4.max(x, f32x4.splat(0));
  return kind == RELU ? positive : f32x4.mul(positive, positive);
}
