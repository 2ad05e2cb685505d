// Reference of `linear`, bit-exact for every scheme and activation format. x's codes are what its format decodes to (zero point taken off).
// Every step below is one f32 operation, in this order:
//   integer schemes  acc = Σ over groups in order of f32(integer sum) · scale; y = acc · x's scale
//   with a minimum   acc = Σ over groups in order of (f32(integer sum) · scale + f32(sum of x's codes) · minimum); y = acc · x's scale
//   f32, f16         acc = Σ over k in order of w · x
// and then + bias, then + residual. Integer sums are exact.
import { ACTS } from "../../act/catalogue.gen.ts";
import { hasMinimum, type IntegerScheme, type MinimumScheme } from "../../quant/scheme.ts";
import type { Operands } from "../define.ts";
import { parseLinearVariant } from "./variant.ts";

type Product = (token: number, row: number) => number;

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { scheme, act } = parseLinearVariant(variant);
  const w = tensors.w as Uint8Array;
  const y = tensors.y as Float32Array;
  const bias = tensors.bias as Float32Array | undefined;
  const residual = tensors.residual as Float32Array | undefined;
  const product =
    act === "f32" ? floats(scheme.decode(w, v.n, v.k), tensors.x as Float32Array, v) : integers(scheme as IntegerScheme | MinimumScheme, w, act, tensors.x as Uint8Array, v);
  for (let t = 0; t < v.rows; t++)
    for (let r = 0; r < v.n; r++) {
      let acc = product(t, r);
      if (bias) acc = Math.fround(acc + bias[r]);
      if (residual) acc = Math.fround(acc + residual[t * v.rs + r]);
      y[t * v.ys + r] = acc;
    }
}

function floats(w: Float32Array, x: Float32Array, v: Operands["values"]): Product {
  return (t, r) => {
    let acc = 0;
    for (let i = 0; i < v.k; i++) acc = Math.fround(acc + Math.fround(w[r * v.k + i] * x[t * v.xs + i]));
    return acc;
  };
}

function integers(scheme: IntegerScheme | MinimumScheme, packed: Uint8Array, act: string, x: Uint8Array, v: Operands["values"]): Product {
  const { codes, scales } = scheme.unpack(packed, v.n, v.k);
  const minima = hasMinimum(scheme) ? scheme.unpack(packed, v.n, v.k).minima : undefined;
  const group = scheme.group || v.k;
  const groups = Math.ceil(v.k / group);
  const rows = Array.from({ length: v.rows }, (_, t) => ACTS[act].decode(x.subarray(t * v.xs), v.k));
  return (t, r) => {
    const { codes: xcodes, scale: xscale } = rows[t];
    let acc = 0;
    for (let g = 0; g < groups; g++) {
      let sum = 0;
      let all = 0;
      for (let i = g * group; i < Math.min(v.k, (g + 1) * group); i++) {
        sum += codes[r * v.k + i] * xcodes[i];
        all += xcodes[i];
      }
      let part = Math.fround(Math.fround(sum) * scales[r * groups + g]);
      if (minima) part = Math.fround(part + Math.fround(Math.fround(all) * minima[r * groups + g]));
      acc = Math.fround(acc + part);
    }
    return Math.fround(acc * xscale);
  };
}
