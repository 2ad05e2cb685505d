// Reference of `rope`; bit-exact: each product, then the sum, is rounded to f32.
import type { Operands } from "../define.ts";

const f = Math.fround;

export function reference({ tensors, values: v }: Operands): void {
  const { x, table } = tensors as Record<string, Float32Array>;
  const half = v.rot / 2;
  for (let r = 0; r < v.rows; r++)
    for (let h = 0; h < v.heads; h++)
      for (let i = 0; i < half; i++) {
        const head = r * v.xs + h * v.dh;
        const ia = head + (v.pairing ? 2 * i : i);
        const ib = ia + (v.pairing ? 1 : half);
        const [a, b] = [x[ia], x[ib]];
        const c = table[(v.pos + r) * v.rot + i];
        const s = table[(v.pos + r) * v.rot + half + i];
        x[ia] = f(a * c) - f(b * s);
        x[ib] = f(a * s) + f(b * c);
      }
}
