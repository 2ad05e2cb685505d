// Quantises one f32 row into one u7tok row, bit for bit as encodeU7tok (runtime/act/u7tok.ts) says.
// NaN anywhere in x makes the scale NaN, so that it reaches the output of the next product.
import { CODES_AT, padded, panelAt, ZERO_AT } from "./i8row";
import { windows } from "./window.scalar";

const PAIRS: u32 = 1;
const WINDOWS: u32 = 3;

/** Below 2^-126 a scale counts as 0. */
const LEAST_SCALE: u32 = 0x00800000;

/** x f32 [k], y one u7tok row. x may be the f32 row that lies where y's panel goes: the panel is written from the codes, last. */
export function encodeRow(x: usize, k: u32, y: usize, panel: u32): void {
  let lo: f32 = 0;
  let hi: f32 = 0;
  for (let i: usize = 0; i < k; i++) {
    lo = min<f32>(lo, load<f32>(x + (i << 2)));
    hi = max<f32>(hi, load<f32>(x + (i << 2)));
  }
  const inv = writeHead(y, lo, hi);
  const zero = load<i32>(y, ZERO_AT);
  const low = -(<f32>zero);
  const codes = y + CODES_AT;
  for (let i: usize = 0; i < k; i++) {
    const code = max<f32>(low, min<f32>(low + 127, nearest<f32>(load<f32>(x + (i << 2)) * inv)));
    store<u8>(codes + i, <u8>(<i32>code + zero));
  }
  writeRest(y, k, zero);
  if (panel == PAIRS) pairs(codes, padded(k), zero, y + panelAt(k));
  else if (panel == WINDOWS) windows(codes, padded(k), y + panelAt(k));
}

/** Scale and zero point of a row whose ends are lo ≤ 0 ≤ hi, zeros up to the codes; returns 1 / scale. */
export function writeHead(y: usize, lo: f32, hi: f32): f32 {
  const scale = hi / 127 - lo / 127;
  const none = scale < reinterpret<f32>(LEAST_SCALE);
  const inv: f32 = none ? 0 : 1 / scale;
  memory.fill(y, 0, CODES_AT);
  store<f32>(y, none ? 0 : scale);
  store<i32>(y, <i32>min<f32>(127, nearest<f32>(-lo * inv)), ZERO_AT);
  return inv;
}

/** What follows k codes up to the panel: codes of zero, then zeros. */
export function writeRest(y: usize, k: u32, zero: i32): void {
  const codes = y + CODES_AT;
  const kp = padded(k);
  memory.fill(codes + k, <u8>zero, kp - k);
  memory.fill(codes + kp, 0, panelAt(k) - CODES_AT - kp);
}

/** Codes less zero as i16 in the order of the panel `pairs`. */
function pairs(codes: usize, kp: usize, zero: i32, p: usize): void {
  for (let i = codes; i < codes + kp; i += 4) {
    store<i16>(p, <i16>(<i32>load<u8>(i) - zero));
    store<i16>(p, <i16>(<i32>load<u8>(i, 2) - zero), 2);
    store<i16>(p, <i16>(<i32>load<u8>(i, 1) - zero), 4);
    store<i16>(p, <i16>(<i32>load<u8>(i, 3) - zero), 6);
    p += 8;
  }
}
