// RMSNorm of one row: y = (x · 1/sqrt(mean(x²) + eps)) · (weight + offset); x, weight, y f32 [k], y may be x.
import { sumOfSquares } from "./lanes.scalar";

export function rmsRow(x: usize, weight: usize, y: usize, k: u32, eps: f32, offset: f32): void {
  const inv: f32 = 1 / sqrt<f32>(sumOfSquares(x, k) / <f32>k + eps);
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) store<f32>(y + i, load<f32>(x + i) * inv * (load<f32>(weight + i) + offset));
}
