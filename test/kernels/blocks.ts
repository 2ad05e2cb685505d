// Matrices that kernels take in the scheme f32, as operands of cases.
import { scheme } from "../../runtime/quant/f32.ts";

/** f32 [n, k] in blocks of 16 rows; the rows that fill the last block are zero. */
export function packed(values: Float32Array, n: number, k: number): Uint8Array {
  const out = new Uint8Array(scheme.bytes(n, k));
  scheme.encode(values, n, k, out);
  return out;
}
