// Quantises one f32 row into one u7tok row, bit for bit as encodeU7tok (runtime/act/u7tok.ts) says.
// NaN anywhere in x makes the scale NaN, so that it reaches the output of the next product.
import { PAIRS_ORDER } from "./constants";
import { CODES_AT, padded, panelAt, ZERO_AT } from "./i8row";
import { writeHead, writeRest } from "./u7tok.scalar";
import { windows } from "./window.simd";

const PAIRS: u32 = 1;
const WINDOWS: u32 = 3;

/** x f32 [k], y one u7tok row. x may be the f32 row that lies where y's panel goes: the panel is written from the codes, last. */
export function encodeRow(x: usize, k: u32, y: usize, panel: u32): void {
  const inv = ends(x, k, y);
  const zero = load<i32>(y, ZERO_AT);
  quantise(x, k, inv, zero, y + CODES_AT);
  writeRest(y, k, zero);
  if (panel == PAIRS) pairs(y + CODES_AT, padded(k), zero, y + panelAt(k));
  else if (panel == WINDOWS) windows(y + CODES_AT, padded(k), y + panelAt(k));
}

/** Writes scale and zero point of the row, returns 1 / scale; any order of the elements gives the same, and NaN stays NaN. */
function ends(x: usize, k: u32, y: usize): f32 {
  const end = x + ((<usize>k) << 2);
  let least = f32x4.splat(0);
  let most = least;
  for (; x + 16 <= end; x += 16) {
    const v = v128.load(x);
    least = f32x4.min(least, v);
    most = f32x4.max(most, v);
  }
  let lo = min<f32>(min<f32>(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)), min<f32>(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)));
  let hi = max<f32>(max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), max<f32>(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
  for (; x < end; x += 4) {
    lo = min<f32>(lo, load<f32>(x));
    hi = max<f32>(hi, load<f32>(x));
  }
  return writeHead(y, lo, hi);
}

/** Saturating conversions turn NaN into 0 and keep what is too large beyond the ends, where it is clamped. */
function quantise(x: usize, k: u32, inv: f32, zero: i32, codes: usize): void {
  const times = f32x4.splat(inv);
  const zeros = i16x8.splat(<i16>zero);
  const low = i16x8.neg(zeros);
  const high = i16x8.splat(<i16>(127 - zero));
  const end = codes + k;
  for (; codes + 16 <= end; codes += 16) {
    const a = i16x8.narrow_i32x4_s(ints(v128.load(x), times), ints(v128.load(x, 16), times));
    const b = i16x8.narrow_i32x4_s(ints(v128.load(x, 32), times), ints(v128.load(x, 48), times));
    const c = i16x8.add(i16x8.max_s(i16x8.min_s(a, high), low), zeros);
    v128.store(codes, i8x16.narrow_i16x8_u(c, i16x8.add(i16x8.max_s(i16x8.min_s(b, high), low), zeros)));
    x += 64;
  }
  const least = -(<f32>zero);
  for (; codes < end; codes++) {
    const code = max<f32>(least, min<f32>(least + 127, nearest<f32>(load<f32>(x) * inv)));
    store<u8>(codes, <u8>(<i32>code + zero));
    x += 4;
  }
}

function ints(x: v128, times: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, times)));
}

/** Codes less zero as i16 in the order of the panel `pairs`. */
function pairs(codes: usize, kp: usize, zero: i32, p: usize): void {
  const order = v128.load(PAIRS_ORDER);
  const zeros = i16x8.splat(<i16>zero);
  for (let i = codes; i < codes + kp; i += 16) {
    const c = i8x16.swizzle(v128.load(i), order);
    v128.store(p, i16x8.sub(i16x8.extend_low_i8x16_u(c), zeros));
    v128.store(p, i16x8.sub(i16x8.extend_high_i8x16_u(c), zeros), 16);
    p += 32;
  }
}
