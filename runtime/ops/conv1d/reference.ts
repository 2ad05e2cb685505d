// Reference of `conv1d` in f64; the window is bit-exact.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";

export function reference({ tensors, values: v }: Operands): void {
  const { x, y, window, bias } = tensors as Record<string, Float32Array>;
  const w = SCHEMES.f32.decode(tensors.w as Uint8Array, v.channels, v.taps);
  for (let c = 0; c < v.channels; c++) {
    const inputs = Array.from({ length: v.taps + v.rows }, (_, i) => (i < v.taps ? window[i * v.channels + c] : x[(i - v.taps) * v.xs + c]));
    for (let r = 0; r < v.rows; r++) {
      let sum = bias ? bias[c] : 0;
      for (let j = 0; j < v.taps; j++) sum += w[c * v.taps + j] * inputs[r + 1 + j];
      y[r * v.ys + c] = v.silu ? sum / (1 + Math.exp(-sum)) : sum;
    }
    for (let i = 0; i < v.taps; i++) window[i * v.channels + c] = inputs[v.rows + i];
  }
}
