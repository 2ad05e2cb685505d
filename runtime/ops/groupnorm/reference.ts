// Reference of `groupnorm` in f64.
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { x, weight, bias, y } = tensors as Record<string, Float32Array>;
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++) {
      const head = Array.from(x.subarray(r * v.xs + h * v.dh, r * v.xs + (h + 1) * v.dh));
      const mean = head.reduce((s, e) => s + e, 0) / v.dh;
      const inv = 1 / Math.sqrt(head.reduce((s, e) => s + (e - mean) ** 2, 0) / v.dh + v.eps);
      head.forEach((e, i) => {
        const at = h * v.dh + i;
        y[r * v.ys + at] = (e - mean) * inv * weight[at] + bias[at];
      });
    }
}
