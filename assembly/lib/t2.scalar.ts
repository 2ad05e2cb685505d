// Bytes of a t2 group (runtime/quant/t2.ts) and its codes one by one.

export const GROUP: usize = 128;
export const GROUP_BYTES: usize = 544;
/** Of the codes within a group; the scales of the 16 rows stand before them. */
export const CODES: usize = 32;

/** Code of weight i < 128 of the row whose codes start at w. */
export function code(w: usize, i: usize): i32 {
  return ((<i32>load<u8>(w + ((i & 28) << 4) + (i & 3)) >> <i32>((i >> 5) << 1)) & 3) - 1;
}
