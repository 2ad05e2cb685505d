// RMSNorm of one row: y = (x · 1/sqrt(mean(x²) + eps)) · (weight + offset); x, weight, y f32 [k], y may be x.
import { sumOfSquares } from "./lanes.simd";

export function rmsRow(x: usize, weight: usize, y: usize, k: u32, eps: f32, offset: f32): void {
  const inv: f32 = 1 / sqrt<f32>(sumOfSquares(x, k) / <f32>k + eps);
  const bytes = (<usize>k) << 2;
  const invs = f32x4.splat(inv);
  const offsets = f32x4.splat(offset);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), invs), f32x4.add(v128.load(weight + i), offsets)));
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(x + i) * inv * (load<f32>(weight + i) + offset));
}
