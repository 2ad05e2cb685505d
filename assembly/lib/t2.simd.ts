// What the vector products of t2 share: where a group's parts stand and how its two-bit fields are had.
import { scales } from "./linear.simd";

export const GROUP_BYTES: usize = 544;
/** Of the codes within a group; the scales of the 16 rows stand before them. */
export const CODES: usize = 32;

/** Bits 2f, 2f + 1 of every byte, for f = 0 … 3. */
export const FIELDS = memory.data<u32>(
  [
    0x03030303, 0x03030303, 0x03030303, 0x03030303, 0x0c0c0c0c, 0x0c0c0c0c, 0x0c0c0c0c, 0x0c0c0c0c, 0x30303030, 0x30303030, 0x30303030, 0x30303030, 0xc0c0c0c0, 0xc0c0c0c0,
    0xc0c0c0c0, 0xc0c0c0c0,
  ],
  16,
);

/** −Σx of a group in every lane, from its zero-point words. */
export function minusSum(z: usize): v128 {
  let s = i32x4.extadd_pairwise_i16x8_s(v128.load(z));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return i32x4.shr_s(i32x4.add(s, v128.shuffle<i32>(s, s, 1, 0, 3, 2)), 3);
}

/** acc + (sums + minus) · the scales of 4 rows at `at`. */
export function plus(acc: v128, sums: v128, minus: v128, at: usize): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(i32x4.add(sums, minus)), scales(at)));
}
