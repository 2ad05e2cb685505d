// Reference of `wkv` in f64; the state is rounded to f32 behind the last row.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { receptance, key, value, decay, bonus, y } = tensors as Record<string, Float32Array>;
  const channels = v.heads * v.dh;
  const packed = tensors.hidden as Uint8Array;
  const h = Float64Array.from(SCHEMES.f32.decode(packed, channels, v.dh));
  for (let i = 0; i < channels; i++) {
    const head = i - (i % v.dh);
    for (let r = 0; r < v.rows; r++) {
      let sum = 0;
      for (let n = 0; n < v.dh; n++) {
        const product = key[r * v.ks + head + n] * value[r * v.vs + i];
        sum += receptance[r * v.rs + head + n] * (h[i * v.dh + n] + bonus[head + n] * product);
        h[i * v.dh + n] = decay[head + n] * h[i * v.dh + n] + product;
      }
      y[r * v.ys + i] = sum;
    }
  }
  SCHEMES.f32.encode(Float32Array.from(h), channels, v.dh, packed);
}
