// Groups of 128 int4 weights with sums of their codes (q4s24, q4s24v): 16 u16 scales, 16 i16 sums, then what the scheme says.
import { ZERO_AT } from "./i8row";

/** Sums of codes of the 4 rows whose scales are at `at`, as i32. */
export function codeSums(at: usize): v128 {
  return v128.load_ext<i16>(at, 32);
}

/** acc + (sums − zero · codes) · scale of 4 rows; x: the token's row, which holds its zero point. */
export function plus(acc: v128, sums: v128, codes: v128, scale: v128, x: usize): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(sums, i32x4.mul(v128.load32_splat(x, ZERO_AT), codes))), scale));
}

/** The same for 4 sums that wait in memory at y: registers are for the integers. */
export function addTo(y: usize, sums: v128, codes: v128, scale: v128, x: usize): void {
  v128.store(y, plus(v128.load(y), sums, codes, scale, x));
}
