// Reference of `embed`; bit-exact: f32(code) · scale, then · op.scale. A token beyond the table gives a row of NaN, which no later step hides.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const table = SCHEMES[variant].decode(tensors.table as Uint8Array, v.vocab, v.k);
  const tokens = tensors.tokens as Uint32Array;
  const y = tensors.y as Float32Array;
  for (let r = 0; r < v.rows; r++)
    for (let i = 0; i < v.k; i++) y[r * v.ys + i] = tokens[r] < v.vocab ? Math.fround(table[tokens[r] * v.k + i] * Math.fround(v.scale)) : Number.NaN;
}
