// Reference of `scan` in f64; the state is rounded to f32 behind the last row.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";

const softplus = (v: number) => (v > 30 ? v : Math.log1p(Math.exp(v)));
const silu = (v: number) => v / (1 + Math.exp(-v));

export function reference({ tensors, values: v }: Operands): void {
  const { x, dt, bias, b, c, d, z, y } = tensors as Record<string, Float32Array>;
  const packed = tensors.hidden as Uint8Array;
  const a = SCHEMES.f32.decode(tensors.a as Uint8Array, v.channels, v.states);
  const hidden = Float64Array.from(SCHEMES.f32.decode(packed, v.channels, v.states));
  for (let i = 0; i < v.channels; i++) {
    const h = hidden.subarray(i * v.states, (i + 1) * v.states);
    for (let r = 0; r < v.rows; r++) {
      const delta = softplus(dt[r * v.dts + i] + bias[i]);
      const input = x[r * v.xs + i];
      let sum = d[i] * input;
      for (let n = 0; n < v.states; n++) {
        h[n] = Math.exp(delta * a[i * v.states + n]) * h[n] + delta * input * b[r * v.bs + n];
        sum += c[r * v.cs + n] * h[n];
      }
      dt[r * v.dts + i] = delta;
      y[r * v.ys + i] = sum * silu(z[r * v.zs + i]);
    }
  }
  SCHEMES.f32.encode(Float32Array.from(hidden), v.channels, v.states, packed);
}
