// Reference of `copy`; bit-exact.
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { x, y } = tensors as Record<string, Float32Array>;
  const row = (r: number) => x.subarray(r * v.xs, r * v.xs + v.k);
  if (variant === "rows") for (let r = 0; r < v.rows; r++) y.set(row(r), r * v.ys);
  else if (v.rows > 0) y.set(row(v.rows - 1));
}
