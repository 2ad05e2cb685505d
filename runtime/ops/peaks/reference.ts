// Reference of `peaks`; exact.
import type { Operands } from "../define.ts";
import { SPAN } from "./op.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { x, y } = tensors as Record<string, Float32Array>;
  for (let r = 0; r < v.rows; r++)
    for (let b = 0; b < v.blocks; b++) {
      const run = x.subarray(r * v.xs + b * SPAN, r * v.xs + Math.min(v.k, (b + 1) * SPAN));
      y[r * v.ys + b] = run.every(Number.isFinite) ? Math.max(...run) : Number.NaN;
    }
}
