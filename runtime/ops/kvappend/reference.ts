// Reference of `kvappend`; bit-exact. Variant `f32` keeps every bit, a NaN's too; `f16`: a head's row with a NaN in it becomes NaN as a
// whole; `i8`: its scale becomes NaN.
import { nearestEven } from "../../act/i8tok.ts";
import { f32ToF16 } from "../../num/half.ts";
import type { Operands } from "../define.ts";

const f = Math.fround;

type Put = (x: Float32Array, cache: DataView, row: number, codes: number) => void;

const putFloats: Put = (x, cache, row) => {
  new Uint8Array(cache.buffer, cache.byteOffset).set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength), row * x.byteLength);
};

const putHalves: Put = (x, cache, row) => {
  const poisoned = x.some(Number.isNaN);
  x.forEach((v, i) => {
    cache.setUint16(2 * (row * x.length + i), poisoned ? 0x7e00 : f32ToF16(Math.max(-65504, Math.min(65504, v))), true);
  });
};

/** `codes`: bytes of all codes, after which the scales lie. */
const putCodes: Put = (x, cache, row, codes) => {
  const amax = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  const inv = amax === 0 ? 0 : f(127 / amax);
  x.forEach((v, i) => {
    cache.setInt8(row * x.length + i, Math.max(-127, Math.min(127, nearestEven(f(v * inv)))));
  });
  cache.setFloat32(codes + 4 * row, amax / 127, true);
};

const PUTS: Readonly<Record<string, Put>> = { f32: putFloats, f16: putHalves, i8: putCodes };

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const put = PUTS[variant];
  for (const [name, stride] of [
    ["k", v.ks],
    ["v", v.vs],
  ] as const) {
    const from = tensors[name] as Float32Array;
    const to = tensors[`${name}cache`] as Uint8Array;
    const cache = new DataView(to.buffer, to.byteOffset, to.byteLength);
    for (let r = 0; r < v.rows; r++)
      for (let h = 0; h < v.heads; h++) put(from.subarray(r * stride + h * v.dh, r * stride + (h + 1) * v.dh), cache, h * v.capacity + v.pos + r, v.heads * v.capacity * v.dh);
  }
}
