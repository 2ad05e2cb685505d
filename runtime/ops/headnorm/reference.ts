// Reference of `headnorm` in f64.
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { x, weight } = tensors as Record<string, Float32Array>;
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++) {
      const at = r * v.xs + h * v.dh;
      const head = Array.from(x.subarray(at, at + v.dh));
      const inv = 1 / Math.sqrt(head.reduce((s, e) => s + e * e, 0) / v.dh + v.eps);
      for (let i = 0; i < v.dh; i++) x[at + i] = head[i] * inv * (weight[i] + v.offset);
    }
}
