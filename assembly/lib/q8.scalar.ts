// Integer dot product of one row of a [k/4][16 rows][4 k] int8 block with the i8 codes [x, end), without vectors.

/** Bytes before the codes of a q8 block: 16 f32 scales, 16 i32 sums of codes. */
export const HEAD: usize = 128;
export const SUMS_AT: usize = 64;

export function dot8(w: usize, x: usize, end: usize): i32 {
  let s: i32 = 0;
  for (; x < end; x += 4) {
    for (let j: usize = 0; j < 4; j++) s += <i32>load<i8>(w + j) * load<i8>(x + j);
    w += 64;
  }
  return s;
}
