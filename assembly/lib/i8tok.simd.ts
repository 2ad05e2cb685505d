// Quantises one f32 row into one i8tok row, bit for bit as encodeI8tok (runtime/act/i8tok.ts) says.
// NaN anywhere in x makes the scale NaN (and the codes 0), so that it reaches the output of the next product.
import { F32_ABS, I8_MIN, PAIRS_ORDER, Q4_ORDER, Q4_TIMES } from "./constants";
import { CODES_AT, padded, panelAt, TOKEN_WORDS, zAt } from "./i8row";
import { windows } from "./window.simd";

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
  clear(y, codes);
  store<f32>(y, amax / 127);
  quantise(x, k, inv, codes);
  writeRest(y, k, TOKEN_WORDS, panel);
}

/**
 * The greatest |x|; any order gives the same. Bits without a sign are ordered as their floats are, with NaN above all others. The
 * last maximum makes of NaN what the scalar build does.
 */
export function absmax(x: usize, k: u32): f32 {
  const mask = v128.load(F32_ABS);
  const end = x + ((<usize>k) << 2);
  let m = i32x4.splat(0);
  let n = m;
  for (; x + 32 <= end; x += 32) {
    m = i32x4.max_s(m, v128.and(v128.load(x), mask));
    n = i32x4.max_s(n, v128.and(v128.load(x, 16), mask));
  }
  m = i32x4.max_s(m, n);
  m = i32x4.max_s(m, v128.shuffle<i32>(m, m, 2, 3, 0, 1));
  let bits = max(i32x4.extract_lane(m, 0), i32x4.extract_lane(m, 1));
  for (; x < end; x += 4) bits = max(bits, load<i32>(x) & 0x7fffffff);
  return max<f32>(0, reinterpret<f32>(bits));
}

/** Saturating conversions clamp to 127 and −128 and turn NaN into 0; −128 (from ±inf only) then becomes −127. */
export function quantise(x: usize, k: u32, inv: f32, codes: usize): void {
  const lowest = v128.load(I8_MIN);
  const times = f32x4.splat(inv);
  const end = codes + k;
  for (; codes + 16 <= end; codes += 16) {
    const a = i16x8.narrow_i32x4_s(ints(v128.load(x), times), ints(v128.load(x, 16), times));
    const b = i16x8.narrow_i32x4_s(ints(v128.load(x, 32), times), ints(v128.load(x, 48), times));
    v128.store(codes, i8x16.max_s(i8x16.narrow_i16x8_s(a, b), lowest));
    x += 64;
  }
  for (; codes < end; codes++) {
    const code = max<f32>(-127, min<f32>(127, nearest<f32>(load<f32>(x) * inv)));
    store<i8>(codes, <i8>(<i32>code));
    x += 4;
  }
}

function ints(x: v128, times: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, times)));
}

/** Zeros [at, end): a few bytes, for which memory.fill costs a call. */
export function clear(at: usize, end: usize): void {
  for (; at + 16 <= end; at += 16) v128.store(at, i32x4.splat(0));
  for (; at < end; at++) store<u8>(at, 0);
}

/** What follows the k codes of a row: their padding, words of `words` bytes that begin with the zero points of a group, panel. */
export function writeRest(y: usize, k: u32, words: usize, panel: u32): void {
  const codes = y + CODES_AT;
  const kp = padded(k);
  const p = y + panelAt(k);
  clear(codes + k, codes + kp);
  zeroPoints(codes, kp, y + zAt(k), words, p);
  if (panel == PAIRS) pairs(codes, kp, p);
  else if (panel == Q4) q4(codes, kp, p);
  else if (panel == WINDOWS) windows(codes, kp, p);
}

/** Two i16 for each 32 codes, `words` bytes apart, then zeros up to `end`. */
function zeroPoints(codes: usize, kp: usize, z: usize, words: usize, end: usize): void {
  for (let i = codes; i < codes + kp; i += 32) {
    // i16 lanes are sums of 2 codes; even lanes go to lo, odd ones to hi, so whole 32-bit lanes add up
    let s = i16x8.add(i16x8.extadd_pairwise_i8x16_s(v128.load(i)), i16x8.extadd_pairwise_i8x16_s(v128.load(i, 16)));
    s = i16x8.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
    s = i16x8.add(s, v128.shuffle<i32>(s, s, 1, 0, 3, 2));
    v128.store32_lane(z, i16x8.neg(i16x8.shl(s, 3)), 0);
    z += words;
  }
  clear(z, end);
}

function pairs(codes: usize, kp: usize, p: usize): void {
  const order = v128.load(PAIRS_ORDER);
  for (let i = codes; i < codes + kp; i += 16) {
    const c = i8x16.swizzle(v128.load(i), order);
    v128.store(p, i16x8.extend_low_i8x16_s(c));
    v128.store(p, i16x8.extend_high_i8x16_s(c), 16);
    p += 32;
  }
}

function q4(codes: usize, kp: usize, p: usize): void {
  const order = v128.load(Q4_ORDER);
  const times = v128.load(Q4_TIMES);
  for (let i = codes; i < codes + kp; i += 16) {
    const c = i8x16.swizzle(v128.load(i), order);
    v128.store(p, i16x8.mul(i16x8.extend_low_i8x16_s(c), times));
    v128.store(p, i16x8.mul(i16x8.extend_high_i8x16_s(c), times), 16);
    p += 32;
  }
}
