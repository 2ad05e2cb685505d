// LayerNorm of one row: y = ((x − mean) · 1/sqrt(var + eps)) · weight (+ bias); x, weight, bias, y f32 [k], y may be x; bias = 0: none.
import { sum, sumOfSquares } from "./lanes.scalar";

export function layerRow(x: usize, weight: usize, bias: usize, y: usize, k: u32, eps: f32): void {
  const bytes = (<usize>k) << 2;
  const mean = sum(x, k) / <f32>k;
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) - mean);
  const inv: f32 = 1 / sqrt<f32>(sumOfSquares(y, k) / <f32>k + eps);
  for (let i: usize = 0; i < bytes; i += 4) {
    const v = load<f32>(y + i) * inv * load<f32>(weight + i);
    store<f32>(y + i, bias ? v + load<f32>(bias + i) : v);
  }
}
