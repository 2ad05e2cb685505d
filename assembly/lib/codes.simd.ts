// Rows of int8 codes with one f32 scale a row (absmax / 127), as the i8 caches hold them.
import { absmax, quantise } from "./i8tok.simd";

/** x f32 [n] → codes int8 [n], one scale. A NaN makes the scale NaN. */
export function storeCodes(x: usize, n: u32, codes: usize, scale: usize): void {
  const amax = absmax(x, n);
  quantise(x, n, amax == 0 ? 0 : 127 / amax, codes);
  store<f32>(scale, amax / 127);
}
