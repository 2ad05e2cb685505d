// Quantises one f32 row into one i8tok row, bit for bit as encodeI8tok (runtime/act/i8tok.ts) says.
// NaN anywhere in x makes the scale NaN (and the codes 0), so that it reaches the output of the next product.
import { CODES_AT, padded, panelAt, TOKEN_WORDS, zAt } from "./i8row";
import { windows } from "./window.scalar";

const PAIRS: u32 = 1;
const Q4: u32 = 2;
const WINDOWS: u32 = 3;

/** x f32 [k], y one i8tok row; range: of the magnitude that becomes 127, 0 = the greatest of x. x may be the f32 row that lies where y's panel goes: the panel is written from the codes, last. */
export function encodeRow(x: usize, k: u32, y: usize, panel: u32, range: usize): void {
  const codes = y + CODES_AT;
  let amax = absmax(x, k);
  // not finite: the row keeps it, so that it is seen
  if (range && amax - amax == 0) amax = load<f32>(range);
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  memory.fill(y, 0, CODES_AT);
  store<f32>(y, amax / 127);
  quantise(x, k, inv, codes);
  writeRest(y, k, TOKEN_WORDS, panel);
}

/** The greatest |x|; NaN stays NaN. */
export function absmax(x: usize, k: u32): f32 {
  let amax: f32 = 0;
  for (const end = x + ((<usize>k) << 2); x < end; x += 4) amax = max<f32>(amax, abs<f32>(load<f32>(x)));
  return amax;
}

export function quantise(x: usize, k: u32, inv: f32, codes: usize): void {
  for (const end = codes + k; codes < end; codes++) {
    const code = max<f32>(-127, min<f32>(127, nearest<f32>(load<f32>(x) * inv)));
    store<i8>(codes, <i8>(<i32>code));
    x += 4;
  }
}

/** What follows the k codes of a row: their padding, words of `words` bytes that begin with the zero points of a group, panel. */
export function writeRest(y: usize, k: u32, words: usize, panel: u32): void {
  const codes = y + CODES_AT;
  const kp = padded(k);
  const p = y + panelAt(k);
  memory.fill(codes + k, 0, kp - k);
  zeroPoints(codes, kp, y + zAt(k), words, p);
  if (panel == PAIRS) pairs(codes, kp, p);
  else if (panel == Q4) q4(codes, kp, p);
  else if (panel == WINDOWS) windows(codes, kp, p);
}

/** Two i16 for each 32 codes, `words` bytes apart, then zeros up to `end`. */
function zeroPoints(codes: usize, kp: usize, z: usize, words: usize, end: usize): void {
  for (let g: usize = 0; g < kp; g += 32) {
    let lo: i32 = 0;
    let hi: i32 = 0;
    for (let i = codes + g; i < codes + g + 32; i += 4) {
      lo += <i32>load<i8>(i) + load<i8>(i, 1);
      hi += <i32>load<i8>(i, 2) + load<i8>(i, 3);
    }
    store<i16>(z, <i16>(-8 * lo));
    store<i16>(z, <i16>(-8 * hi), 2);
    z += words;
  }
  memory.fill(z, 0, end - z);
}

function pairs(codes: usize, kp: usize, p: usize): void {
  for (let i = codes; i < codes + kp; i += 4) {
    store<i16>(p, load<i8>(i));
    store<i16>(p, load<i8>(i, 2), 2);
    store<i16>(p, load<i8>(i, 1), 4);
    store<i16>(p, load<i8>(i, 3), 6);
    p += 8;
  }
}

function q4(codes: usize, kp: usize, p: usize): void {
  for (let i = codes; i < codes + kp; i += 8) {
    store<i16>(p, (<i16>load<i8>(i)) << 8);
    store<i16>(p, (<i16>load<i8>(i, 2)) << 8, 2);
    store<i16>(p, (<i16>load<i8>(i, 4)) << 4, 4);
    store<i16>(p, (<i16>load<i8>(i, 6)) << 4, 6);
    store<i16>(p, load<i8>(i, 1), 8);
    store<i16>(p, load<i8>(i, 3), 10);
    store<i16>(p, (<i16>load<i8>(i, 5)) << 8, 12);
    store<i16>(p, (<i16>load<i8>(i, 7)) << 8, 14);
    p += 16;
  }
}
