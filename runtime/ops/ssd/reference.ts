// Reference of `ssd` in f64; the state is rounded to f32 behind the last row.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";

const softplus = (v: number) => (v > 30 ? v : Math.log1p(Math.exp(v)));

export function reference({ tensors, values: v }: Operands): void {
  const { x, dt, bias, a, b, c, d, y } = tensors as Record<string, Float32Array>;
  const channels = v.heads * v.dh;
  const packed = tensors.hidden as Uint8Array;
  const h = Float64Array.from(SCHEMES.f32.decode(packed, channels, v.states));
  for (let i = 0; i < channels; i++) {
    const head = Math.floor(i / v.dh);
    const group = Math.floor(head / (v.heads / v.groups)) * v.states;
    for (let r = 0; r < v.rows; r++) {
      const free = Math.max(softplus(dt[r * v.dts + head] + bias[head]), v.least);
      const delta = v.most > 0 ? Math.min(free, v.most) : free;
      const input = x[r * v.xs + i];
      let sum = d[head] * input;
      for (let n = 0; n < v.states; n++) {
        const at = i * v.states + n;
        h[at] = Math.exp(delta * a[head]) * h[at] + delta * input * b[r * v.bs + group + n];
        sum += c[r * v.cs + group + n] * h[at];
      }
      y[r * v.ys + i] = sum;
    }
  }
  SCHEMES.f32.encode(Float32Array.from(h), channels, v.states, packed);
}
