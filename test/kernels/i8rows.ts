// How cases of ops that write i8tok rows look at them. A reference that computes in f64 and a kernel that computes in f32 may round one
// code in a row to different neighbours; builds may not differ at all.
import { i8tokLayout, PANEL } from "../../runtime/act/i8tok.ts";
import type { OperandArray } from "../../runtime/ops/define.ts";
import type { Bound } from "./case.ts";

/** A code may be one off, the sum of the row's codes too (so that one code is), the logarithm of the scale 1e-5. */
export const ONE_CODE: Bound = { abs: 1, rel: 0 };

/** Per row: k codes, their sum, 1e5 · ln(scale). */
export function codesAndScale(rows: number, k: number, stride: number) {
  return (t: OperandArray): Float32Array => {
    const out: number[] = [];
    for (let r = 0; r < rows; r++) {
      const codes = Array.from(new Int8Array(t.buffer, t.byteOffset + r * stride + i8tokLayout(k).codes, k));
      const scale = new DataView(t.buffer, t.byteOffset).getFloat32(r * stride, true);
      out.push(
        ...codes,
        codes.reduce((a, b) => a + b, 0),
        Math.fround(1e5 * Math.log(scale)),
      );
    }
    return Float32Array.from(out);
  };
}

/** Every byte a row specifies: all before the panel, and 2·kp bytes of panel if there is one. */
export function specified(rows: number, k: number, stride: number, panel: number) {
  const at = i8tokLayout(k);
  const end = panel === PANEL.none ? at.panel : at.panel + 2 * at.kp;
  return (t: OperandArray): Uint8Array => Uint8Array.from({ length: rows * end }, (_, i) => t[Math.floor(i / end) * stride + (i % end)] as number);
}
