// Reference of `quantise`: one encoder of runtime/act a variant, row by row; bit-exact.
import { ACTS } from "../../act/catalogue.gen.ts";
import { arrange, unpackColumns } from "../../graph/columns.ts";
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const x = tensors.x as Float32Array;
  const y = tensors.y as Uint8Array;
  const columns = tensors.columns && unpackColumns(tensors.columns as Uint8Array, v.k);
  for (let r = 0; r < v.rows; r++) {
    const row = x.subarray(r * v.xs, r * v.xs + v.k);
    ACTS[variant].encode(columns ? arrange(row, columns) : row, y.subarray(r * v.ys, (r + 1) * v.ys), v.panel, tensors.range?.[0]);
  }
}
