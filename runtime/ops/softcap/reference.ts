// Reference of `softcap` in f64.
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { x, y } = tensors as Record<string, Float32Array>;
  for (let r = 0; r < v.rows; r++) for (let i = 0; i < v.k; i++) y[r * v.ys + i] = v.cap * Math.tanh(x[r * v.xs + i] / v.cap);
}
