// Which panel a kernel wants at the end of its rows of activations. The one place that says so: kernels are written to match.
import { PANEL } from "../act/i8tok.ts";

/** Panel kind (runtime/act/i8tok.ts) by kernel name. Products on i16 lanes read a panel; relaxed and scalar kernels read the codes. */
export function panelFor(kernel: string): number {
  if (/^gem[vm]_(q8(g32|_u7tok)?|t2|q161)__simd$/.test(kernel)) return PANEL.pairs;
  if (/^gem[vm]_q4g(32m?|128)__simd$/.test(kernel)) return PANEL.q4;
  return PANEL.none;
}
