// Rows of int8 codes with one f32 scale a row, as the i8 caches hold them; codes.scalar.ts says what is written.
import { codeOf } from "./codes.scalar";
import { I8_MIN } from "./constants";
import { absmax } from "./i8tok.simd";

/** 16 codes. Saturating conversions clamp to 127 and −128 and turn NaN into 0; −128 (from ±inf only) then becomes −127. */
function codes16(x: usize, times: v128, lowest: v128): v128 {
  const a = i16x8.narrow_i32x4_s(ints(v128.load(x), times), ints(v128.load(x, 16), times));
  const b = i16x8.narrow_i32x4_s(ints(v128.load(x, 32), times), ints(v128.load(x, 48), times));
  return i8x16.max_s(i8x16.narrow_i16x8_s(a, b), lowest);
}

function ints(x: v128, times: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, times)));
}

/** Sum of 16 codes. */
function sum16(c: v128): i32 {
  const s = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(c));
  return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + (i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3));
}

/** x f32 [n] → codes of a key, four side by side each 64 bytes, zeros up to n16, its scale, and the sum of the codes. */
export function storeKey(x: usize, n: u32, n16: usize, codes: usize, scale: usize, sum: usize): void {
  const amax = absmax(x, n);
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  store<f32>(scale, amax / 127);
  const lowest = v128.load(I8_MIN);
  const times = f32x4.splat(inv);
  let s: i32 = 0;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const c = codes16(x + (i << 2), times, lowest);
    v128.store32_lane(codes, c, 0);
    v128.store32_lane(codes, c, 1, 64);
    v128.store32_lane(codes, c, 2, 128);
    v128.store32_lane(codes, c, 3, 192);
    codes += 256;
    s += sum16(c);
  }
  for (; i < n16; i++) {
    const code: i8 = i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0;
    store<i8>(codes + (((i & 15) >> 2) << 6) + (i & 3), code);
    s += code;
  }
  store<i32>(sum, s);
}

/** x f32 [n] → codes of a value, one each 4 bytes, zeros up to n16, its scale, and the sum of the codes. */
export function storeValue(x: usize, n: u32, n16: usize, codes: usize, scale: usize, sum: usize): void {
  const amax = absmax(x, n);
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  store<f32>(scale, amax / 127);
  const lowest = v128.load(I8_MIN);
  const times = f32x4.splat(inv);
  let s: i32 = 0;
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const c = codes16(x + (i << 2), times, lowest);
    storeApart(codes, c);
    codes += 64;
    s += sum16(c);
  }
  for (; i < n16; i++) {
    const code: i8 = i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0;
    store<i8>(codes + ((i & 15) << 2), code);
    s += code;
  }
  store<i32>(sum, s);
}

/** Stores 16 bytes, one each 4 bytes. */
function storeApart(to: usize, c: v128): void {
  v128.store8_lane(to, c, 0);
  v128.store8_lane(to, c, 1, 4);
  v128.store8_lane(to, c, 2, 8);
  v128.store8_lane(to, c, 3, 12);
  v128.store8_lane(to, c, 4, 16);
  v128.store8_lane(to, c, 5, 20);
  v128.store8_lane(to, c, 6, 24);
  v128.store8_lane(to, c, 7, 28);
  v128.store8_lane(to, c, 8, 32);
  v128.store8_lane(to, c, 9, 36);
  v128.store8_lane(to, c, 10, 40);
  v128.store8_lane(to, c, 11, 44);
  v128.store8_lane(to, c, 12, 48);
  v128.store8_lane(to, c, 13, 52);
  v128.store8_lane(to, c, 14, 56);
  v128.store8_lane(to, c, 15, 60);
}
