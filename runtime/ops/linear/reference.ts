// Reference of `linear`, bit-exact for every scheme and activation format. x's codes are what its format decodes to (zero point taken off).
// Every step below is one f32 operation, in this order:
//   integer schemes  acc = Σ over groups in order of f32(integer sum) · scale; y = acc · x's scale
//   with a minimum   acc = Σ over groups in order of (f32(integer sum) · scale + f32(sum of x's codes) · minimum); y = acc · x's scale
//   i8g32            as these two, but each addend of acc times the scale of its group of x's codes first
//   q161             y = (B · p + Σx · q) · scale of the binary columns + (D · s) · scale of the salient ones,
//                    B = Σ ±x, Σx over the binary columns, D = Σ (code − zero) · x over the salient ones
//   f32, f16         acc = Σ over k in order of w · x
// and then + bias, then + residual. Integer sums are exact.
import { ACTS } from "../../act/catalogue.gen.ts";
import { decodeSplit161 } from "../../act/split161.ts";
import type { Q161Scheme } from "../../quant/q161.ts";
import { hasMinimum, type IntegerScheme, type MinimumScheme } from "../../quant/scheme.ts";
import type { Operands } from "../define.ts";
import { isCompact, readList } from "../select/list.ts";
import { parseLinearVariant } from "./variant.ts";

type Product = (token: number, row: number) => number;

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { scheme, act } = parseLinearVariant(variant);
  const set = tensors.only as Uint32Array | undefined;
  const compact = set !== undefined && isCompact(set);
  const w = (compact ? tensors.compact : tensors.w) as Uint8Array;
  const many = compact ? set[0] : v.n;
  const y = tensors.y as Float32Array;
  const bias = tensors.bias as Float32Array | undefined;
  const residual = tensors.residual as Float32Array | undefined;
  const product =
    act === "f32"
      ? floats(scheme.decode(w, v.n, v.k), tensors.x as Float32Array, v)
      : scheme.arranged
        ? split(scheme as Q161Scheme, w, tensors.x as Uint8Array, v)
        : integers(scheme as IntegerScheme | MinimumScheme, w, act, tensors.x as Uint8Array, { ...v, n: many });
  const only = compact ? undefined : set && readList(set);
  for (let t = 0; t < v.rows; t++)
    for (const r of only ?? Array.from({ length: many }, (_, i) => i)) {
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
    const { codes: xcodes, scale: xscale, groups: xscales } = rows[t];
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
      if (xscales) part = Math.fround(part * xscales[g]);
      acc = Math.fround(acc + part);
    }
    return Math.fround(acc * xscale);
  };
}

function split(scheme: Q161Scheme, packed: Uint8Array, x: Uint8Array, v: Operands["values"]): Product {
  const w = scheme.unpack(packed, v.n, v.k);
  const rows = Array.from({ length: v.rows }, (_, t) => decodeSplit161(x.subarray(t * v.xs), v.k));
  return (t, r) => {
    const { binary, salient, binaryScale, salientScale } = rows[t];
    const signed = binary.reduce((sum, code, i) => sum + (w.signs[r * binary.length + i] ? code : -code), 0);
    const all = binary.reduce((sum, code) => sum + code, 0);
    const whole = salient.reduce((sum, code, i) => sum + (w.codes[r * salient.length + i] - w.zeros[r]) * code, 0);
    const b = Math.fround(Math.fround(Math.fround(signed) * w.p[r]) + Math.fround(Math.fround(all) * w.q[r]));
    return Math.fround(Math.fround(b * binaryScale) + Math.fround(Math.fround(Math.fround(whole) * w.s[r]) * salientScale));
  };
}
