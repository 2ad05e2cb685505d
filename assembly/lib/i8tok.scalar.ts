// Quantises one f32 row into one i8tok row, bit for bit as encodeI8tok (runtime/act/i8tok.ts) says.
// NaN anywhere in x makes the scale NaN (and the codes 0), so that it reaches the output of the next product.
import { CODES_AT, padded, panelAt, zAt } from "./i8row";
import { windows } from "./window.scalar";

const PAIRS: u32 = 1;
const Q4: u32 = 2;
const WINDOWS: u32 = 3;

/** x f32 [k], y one i8tok row; range: of the magnitude that becomes 127, 0 = the greatest of x. x may be the f32 row that lies where y's panel goes: the panel is written from the codes, last. */
export function encodeRow(x: usize, k: u32, y: usize, panel: u32, range: usize): void {
  const kp = padded(k);
  const codes = y + CODES_AT;
  let amax: f32 = 0;
  for (let i: usize = 0; i < k; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + (i << 2))));
  // not finite: the row keeps it, so that it is seen
  if (range && amax - amax == 0) amax = load<f32>(range);
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  memory.fill(y, 0, CODES_AT);
  store<f32>(y, amax / 127);
  for (let i: usize = 0; i < k; i++) {
    const code = max<f32>(-127, min<f32>(127, nearest<f32>(load<f32>(x + (i << 2)) * inv)));
    store<i8>(codes + i, <i8>(<i32>code));
  }
  memory.fill(codes + k, 0, kp - k);
  zeroPoints(codes, kp, y + zAt(k), y + panelAt(k));
  if (panel == PAIRS) pairs(codes, kp, y + panelAt(k));
  else if (panel == Q4) q4(codes, kp, y + panelAt(k));
  else if (panel == WINDOWS) windows(codes, kp, y + panelAt(k));
}

/** One word of two i16 for each 32 codes, then zeros up to `end`. */
function zeroPoints(codes: usize, kp: usize, z: usize, end: usize): void {
  for (let g: usize = 0; g < kp; g += 32) {
    let lo: i32 = 0;
    let hi: i32 = 0;
    for (let i = codes + g; i < codes + g + 32; i += 4) {
      lo += <i32>load<i8>(i) + load<i8>(i, 1);
      hi += <i32>load<i8>(i, 2) + load<i8>(i, 3);
    }
    store<i16>(z, <i16>(-8 * lo));
    store<i16>(z, <i16>(-8 * hi), 2);
    z += 4;
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
