// Reference of `conv1d` in f64; the window is bit-exact.
import { SCHEMES } from "../../quant/catalogue.gen.ts";
import type { Operands } from "../define.ts";
import { rowsOf } from "../recurrent.ts";

export function reference({ tensors, values: v }: Operands, variant: string): void {
  const { y, bias } = tensors as Record<string, Float32Array>;
  const w = SCHEMES.f32.decode(tensors.w as Uint8Array, v.channels, v.taps);
  const rows = rowsOf(tensors.x as Float32Array, v.xs, v.rows, v.channels, variant);
  const kept = tensors.window as Float32Array | Uint8Array;
  const window = variant === "f32" ? (kept as Float32Array) : new Int8Array(kept.buffer, kept.byteOffset, kept.length);
  for (let c = 0; c < v.channels; c++) {
    const codes = [...Array.from({ length: v.taps }, (_, i) => window[i * v.channels + c]), ...rows.map((r) => r.codes[c])];
    for (let r = 0; r < v.rows; r++) {
      let sum = 0;
      for (let j = 0; j < v.taps; j++) sum += w[c * v.taps + j] * codes[r + 1 + j];
      // All rows of i8static have one scale; one that is not finite has its own, which spoils no other row.
      sum = sum * rows[r].scale + (bias ? bias[c] : 0);
      y[r * v.ys + c] = v.silu ? sum / (1 + Math.exp(-sum)) : sum;
    }
    for (let i = 0; i < v.taps; i++) window[i * v.channels + c] = codes[v.rows + i];
  }
}
