// Integer dot product of one row of a [k/4][16 rows][4 k] int8 block with the i8 codes [x, end), without vectors.

export function dot8(w: usize, x: usize, end: usize): i32 {
  let s: i32 = 0;
  for (; x < end; x += 4) {
    for (let j: usize = 0; j < 4; j++) s += <i32>load<i8>(w + j) * load<i8>(x + j);
    w += 64;
  }
  return s;
}
