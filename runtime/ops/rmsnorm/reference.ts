// Reference of `rmsnorm` in f64.
import type { Operands } from "../define.ts";
import { writeRow } from "../output.ts";

export function reference(o: Operands, variant: string): void {
  const { x, weight } = o.tensors as Record<string, Float32Array>;
  const { rows, xs, k, eps, offset } = o.values;
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.subarray(r * xs, r * xs + k));
    const mean = row.reduce((s, v) => s + v * v, 0) / k;
    const inv = 1 / Math.sqrt(mean + eps);
    writeRow(
      o,
      variant,
      r,
      row.map((v, i) => v * inv * (weight[i] + offset)),
    );
  }
}
