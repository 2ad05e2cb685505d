// Reference of `layernorm` in f64.
import type { Operands } from "../define.ts";
import { writeRow } from "../output.ts";

export function reference(o: Operands, variant: string): void {
  const { x, weight, bias } = o.tensors as Record<string, Float32Array>;
  const { rows, xs, k, eps } = o.values;
  const mean = (row: readonly number[]) => row.reduce((s, v) => s + v, 0) / k;
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.subarray(r * xs, r * xs + k));
    const m = mean(row);
    const inv = 1 / Math.sqrt(mean(row.map((v) => (v - m) ** 2)) + eps);
    writeRow(
      o,
      variant,
      r,
      row.map((v, i) => (v - m) * inv * weight[i] + (bias ? bias[i] : 0)),
    );
  }
}
