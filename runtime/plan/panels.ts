// Which panel a kernel wants at the end of its rows of activations. The one place that says so: kernels are written to match.
import { PANEL } from "../act/i8tok.ts";

/** Panel kind (runtime/act/i8tok.ts) by kernel name. Products on i16 lanes and those that gather read a panel, the others the codes. */
export function panelFor(kernel: string): number {
  if (/^gem[vm]_(q8(g32(_i8g32)?|_u7tok)?|t2|q161)__simd$/.test(kernel)) return PANEL.pairs;
  if (/^gem[vm]_q4g(32m?(_i8g32)?|128)__simd$/.test(kernel)) return PANEL.q4;
  if (/^gem[vm]_q[48]s24v?__/.test(kernel) && !kernel.endsWith("scalar")) return PANEL.windows;
  return PANEL.none;
}
