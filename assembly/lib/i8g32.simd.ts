// Quantises one f32 row into one i8g32 row, bit for bit as runtime/act/i8g32.ts says.
import { CODES_AT, GROUP_WORDS, padded, SCALE_AT, zAt } from "./i8row";
import { absmax, clear, quantise, writeRest } from "./i8tok.simd";

const GROUP: u32 = 32;

/** x f32 [k], y one i8g32 row. x may be the f32 row that lies where y's panel goes: the panel is written from the codes, last. */
export function encodeRow(x: usize, k: u32, y: usize, panel: u32): void {
  let scale = y + zAt(k) + SCALE_AT;
  let finite = true;
  for (let i: u32 = 0; i < <u32>padded(k); i += GROUP) {
    const count = i < k ? min<u32>(GROUP, k - i) : 0;
    const from = x + ((<usize>i) << 2);
    const amax = absmax(from, count);
    const whole = amax - amax == 0;
    if (!whole) finite = false;
    store<f32>(scale, whole ? amax / 127 : 0);
    quantise(from, count, amax == 0 ? 0 : 127 / amax, y + CODES_AT + i);
    scale += GROUP_WORDS;
  }
  clear(y, y + CODES_AT);
  store<f32>(y, finite ? 1 : f32.NaN);
  writeRest(y, k, GROUP_WORDS, panel);
}
