// Reference of `kvappend`; bit-exact. Variant `f32` keeps every bit, a NaN's too; `f16`: a head's row with a NaN in it becomes NaN as a
// whole; `i8`: its scale becomes NaN.
import { nearestEven } from "../../act/i8tok.ts";
import { f32ToF16 } from "../../num/half.ts";
import { roundup } from "../../num/int.ts";
import type { Operands } from "../define.ts";
import { i8Cache } from "./i8cache.ts";

const f = Math.fround;

/** Head and position of a row, and the sizes of its cache. */
interface Place {
  readonly head: number;
  readonly position: number;
  readonly heads: number;
  readonly capacity: number;
}

type Put = (x: Float32Array, cache: DataView, at: Place) => void;

const putFloats: Put = (x, cache, { head, capacity, position }) => {
  new Uint8Array(cache.buffer, cache.byteOffset).set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength), (head * capacity + position) * x.byteLength);
};

const putHalves: Put = (x, cache, { head, capacity, position }) => {
  const poisoned = x.some(Number.isNaN);
  x.forEach((v, i) => {
    cache.setUint16(2 * ((head * capacity + position) * x.length + i), poisoned ? 0x7e00 : f32ToF16(Math.max(-65504, Math.min(65504, v))), true);
  });
};

const putCodes =
  (which: "key" | "value"): Put =>
  (x, cache, { head, position, heads, capacity }) => {
    const at = i8Cache(heads, capacity, x.length);
    const amax = x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const inv = amax === 0 ? 0 : f(127 / amax);
    const codes = Array.from({ length: roundup(x.length, 16) }, (_, i) => (i < x.length ? Math.max(-127, Math.min(127, nearestEven(f(x[i] * inv)))) : 0));
    codes.forEach((code, i) => {
      cache.setInt8(at[which](head, position, i), code);
    });
    cache.setInt32(
      at.sum(head, position),
      codes.reduce((a, b) => a + b, 0),
      true,
    );
    cache.setFloat32(at.scale(head, position), amax / 127, true);
  };

const PUTS: Readonly<Record<string, { readonly k: Put; readonly v: Put }>> = {
  f32: { k: putFloats, v: putFloats },
  f16: { k: putHalves, v: putHalves },
  i8: { k: putCodes("key"), v: putCodes("value") },
};

export function reference({ tensors, values: v }: Operands, variant: string): void {
  for (const [name, stride] of [
    ["k", v.ks],
    ["v", v.vs],
  ] as const) {
    const from = tensors[name] as Float32Array;
    const to = tensors[`${name}cache`] as Uint8Array;
    const cache = new DataView(to.buffer, to.byteOffset, to.byteLength);
    for (let r = 0; r < v.rows; r++)
      for (let head = 0; head < v.heads; head++)
        PUTS[variant][name](from.subarray(r * stride + head * v.dh, r * stride + (head + 1) * v.dh), cache, { head, position: v.pos + r, heads: v.heads, capacity: v.capacity });
  }
}
