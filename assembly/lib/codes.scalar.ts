// Rows of int8 codes with one f32 scale a row (absmax / 127), as the i8 caches hold them: four codes each 64 bytes (keys) or one each 4 (values).

/** The greatest code. */
export const CODE_MOST: u32 = 127;

/** Code of x, inv = 127 / absmax or 0. */
export function codeOf(x: f32, inv: f32): i8 {
  return <i8>(<i32>max<f32>(-127, min<f32>(127, nearest<f32>(x * inv))));
}

/** Returns 127 / absmax of x f32 [n] (0 if all are zero) and stores absmax / 127. A NaN makes the scale NaN. */
function scaleRow(x: usize, n: u32, scale: usize): f32 {
  let amax: f32 = 0;
  for (let i: usize = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + (i << 2))));
  store<f32>(scale, amax / 127);
  return amax == 0 ? 0 : 127 / amax;
}

/** x f32 [n] → codes of a key, four side by side each 64 bytes, zeros up to n16, its scale, and the sum of the codes. */
export function storeKey(x: usize, n: u32, n16: usize, codes: usize, scale: usize, sum: usize): void {
  const inv = scaleRow(x, n, scale);
  let s: i32 = 0;
  for (let i: usize = 0; i < n16; i++) {
    const code: i8 = i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0;
    store<i8>(codes + ((i >> 2) << 6) + (i & 3), code);
    s += code;
  }
  store<i32>(sum, s);
}

/** x f32 [n] → codes of a value, one each 4 bytes, zeros up to n16, its scale, and the sum of the codes. */
export function storeValue(x: usize, n: u32, n16: usize, codes: usize, scale: usize, sum: usize): void {
  const inv = scaleRow(x, n, scale);
  let s: i32 = 0;
  for (let i: usize = 0; i < n16; i++) {
    const code: i8 = i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0;
    store<i8>(codes + (i << 2), code);
    s += code;
  }
  store<i32>(sum, s);
}
