// Reference of `add`; bit-exact (one f32 addition an element).
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { a, b, y } = tensors as Record<string, Float32Array>;
  for (let r = 0; r < v.rows; r++) for (let i = 0; i < v.k; i++) y[r * v.ys + i] = a[r * v.sa + i] + b[r * v.sb + i];
}
