// LayerNorm of one row: y = ((x − mean) · 1/sqrt(var + eps)) · weight (+ bias); x, weight, bias, y f32 [k], y may be x; bias = 0: none.
import { sum, sumOfSquares } from "./lanes.simd";

export function layerRow(x: usize, weight: usize, bias: usize, y: usize, k: u32, eps: f32): void {
  const bytes = (<usize>k) << 2;
  const mean = sum(x, k) / <f32>k;
  subtract(x, mean, y, bytes);
  const inv: f32 = 1 / sqrt<f32>(sumOfSquares(y, k) / <f32>k + eps);
  const invs = f32x4.splat(inv);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const v = f32x4.mul(f32x4.mul(v128.load(y + i), invs), v128.load(weight + i));
    v128.store(y + i, bias ? f32x4.add(v, v128.load(bias + i)) : v);
  }
  for (; i < bytes; i += 4) {
    const v = load<f32>(y + i) * inv * load<f32>(weight + i);
    store<f32>(y + i, bias ? v + load<f32>(bias + i) : v);
  }
}

function subtract(x: usize, mean: f32, y: usize, bytes: usize): void {
  const means = f32x4.splat(mean);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.sub(v128.load(x + i), means));
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) - mean);
}
