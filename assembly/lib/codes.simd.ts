// Rows of int8 codes with one f32 scale a row, as the i8 caches hold them; codes.scalar.ts says what is written.
import { codeOf } from "./codes.scalar";
import { I8_MIN } from "./constants";
import { absmax } from "./i8tok.simd";

function scaleRow(x: usize, n: u32, scale: usize): f32 {
  const amax = absmax(x, n);
  store<f32>(scale, amax / 127);
  return amax == 0 ? 0 : 127 / amax;
}

/** 16 codes. Saturating conversions clamp to 127 and −128 and turn NaN into 0; −128 (from ±inf only) then becomes −127. */
function codes16(x: usize, times: v128, lowest: v128): v128 {
  const a = i16x8.narrow_i32x4_s(ints(v128.load(x), times), ints(v128.load(x, 16), times));
  const b = i16x8.narrow_i32x4_s(ints(v128.load(x, 32), times), ints(v128.load(x, 48), times));
  return i8x16.max_s(i8x16.narrow_i16x8_s(a, b), lowest);
}

function ints(x: v128, times: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(x, times)));
}

/** x f32 [n] → codes of a key, two side by side each 32 bytes, zeros up to n16, and its scale. */
export function storeKey(x: usize, n: u32, n16: usize, codes: usize, scale: usize): void {
  const inv = scaleRow(x, n, scale);
  const lowest = v128.load(I8_MIN);
  const times = f32x4.splat(inv);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    const c = codes16(x + (i << 2), times, lowest);
    v128.store16_lane(codes, c, 0);
    v128.store16_lane(codes, c, 1, 32);
    v128.store16_lane(codes, c, 2, 64);
    v128.store16_lane(codes, c, 3, 96);
    v128.store16_lane(codes, c, 4, 128);
    v128.store16_lane(codes, c, 5, 160);
    v128.store16_lane(codes, c, 6, 192);
    v128.store16_lane(codes, c, 7, 224);
    codes += 256;
  }
  for (; i < n16; i++) store<i8>(codes + (((i & 15) >> 1) << 5) + (i & 1), i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0);
}

/** x f32 [n] → codes of a value, one each 2 bytes, zeros up to n16, and its scale. */
export function storeValue(x: usize, n: u32, n16: usize, codes: usize, scale: usize): void {
  const inv = scaleRow(x, n, scale);
  const lowest = v128.load(I8_MIN);
  const times = f32x4.splat(inv);
  let i: usize = 0;
  for (; i + 16 <= n; i += 16) {
    storeApart(codes, codes16(x + (i << 2), times, lowest));
    codes += 32;
  }
  for (; i < n16; i++) store<i8>(codes + ((i & 15) << 1), i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0);
}

/** Stores 16 bytes, one each 2 bytes. */
function storeApart(to: usize, c: v128): void {
  v128.store8_lane(to, c, 0);
  v128.store8_lane(to, c, 1, 2);
  v128.store8_lane(to, c, 2, 4);
  v128.store8_lane(to, c, 3, 6);
  v128.store8_lane(to, c, 4, 8);
  v128.store8_lane(to, c, 5, 10);
  v128.store8_lane(to, c, 6, 12);
  v128.store8_lane(to, c, 7, 14);
  v128.store8_lane(to, c, 8, 16);
  v128.store8_lane(to, c, 9, 18);
  v128.store8_lane(to, c, 10, 20);
  v128.store8_lane(to, c, 11, 22);
  v128.store8_lane(to, c, 12, 24);
  v128.store8_lane(to, c, 13, 26);
  v128.store8_lane(to, c, 14, 28);
  v128.store8_lane(to, c, 15, 30);
}
