// What the vector products of q4g32m share: the bytes of a group and its step of the sum.
// Codes are 0…15 and are multiplied as they are. No lane of 16 bits can wrap or saturate: it takes 16 of a group's 32 weights, and
// 16 · 15 · 127 = 30480 < 2^15; a pair of the relaxed dot is at most 2 · 15 · 127 = 3810. So the sums start at zero, not at the zero point.

export const GROUP_BYTES: usize = 384;
/** Of the nibbles within a group; the scales of the 16 rows are at 0, their minima at 64. */
export const NIBBLES_AT: usize = 128;

/** −Σx of a group in every lane, from its zero-point words: −8 times as much in two halves. Exact. */
export function minusSum(z: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z)), 3));
}

/**
 * acc + (sums · d + Σx · m) of 4 rows; their d at `at`. Taking away −Σx · m is adding Σx · m to the bit, but for the sign of a zero,
 * which acc, never −0 itself, does not let through.
 */
export function plus(acc: v128, sums: v128, minus: v128, at: usize): v128 {
  return f32x4.add(acc, f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(at)), f32x4.mul(minus, v128.load(at, 64))));
}
