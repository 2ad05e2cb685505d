// Reference of `dequantise`; bit-exact (one f32 multiplication an element).
import { FX16_ZERO } from "../../num/fx16.ts";
import type { Operands } from "../define.ts";
import { signed } from "../windowed.ts";

export function reference({ tensors, values: v }: Operands): void {
  const x = signed(tensors.x as Uint8Array);
  const y = tensors.y as Float32Array;
  for (let r = 0; r < v.rows; r++) for (let i = 0; i < v.k; i++) y[r * v.ys + i] = (x[r * v.xs + i] - FX16_ZERO - v.zero) * Math.fround(v.factor);
}
