// How cases of ops that write rows of an activation format look at them. A reference that computes in f64 and a kernel that computes in f32 may round one
// code in a row to different neighbours; builds may not differ at all.
import type { ActFormat } from "../../runtime/act/format.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import type { Bound } from "./case.ts";

/** A code may be one off, the sum of the row's codes too (so that one code is), the logarithm of the scale 1e-5. */
export const ONE_CODE: Bound = { abs: 1, rel: 0 };

/** Per row: k codes, their sum, 1e5 · ln(scale). */
export function codesAndScale(act: ActFormat, rows: number, k: number, stride: number) {
  return (t: OperandArray): Float32Array => {
    const out: number[] = [];
    for (let r = 0; r < rows; r++) {
      const { codes, scale } = act.decode((t as Uint8Array).subarray(r * stride), k);
      out.push(
        ...codes,
        codes.reduce((a, b) => a + b, 0),
        Math.fround(1e5 * Math.log(scale)),
      );
    }
    return Float32Array.from(out);
  };
}

/** Every byte the rows specify. */
export function specified(act: ActFormat, rows: number, k: number, stride: number, panel: number) {
  const end = act.specified(k, panel);
  return (t: OperandArray): Uint8Array => Uint8Array.from({ length: rows * end }, (_, i) => t[Math.floor(i / end) * stride + (i % end)] as number);
}
