// Rows of int8 codes with one f32 scale a row (absmax / 127), as the i8 caches hold them: one code each `apart` bytes, or two.

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

/** x f32 [n] → codes of a key, two side by side each 32 bytes, zeros up to n16, and its scale. */
export function storeKey(x: usize, n: u32, n16: usize, codes: usize, scale: usize): void {
  const inv = scaleRow(x, n, scale);
  for (let i: usize = 0; i < n16; i++) store<i8>(codes + ((i >> 1) << 5) + (i & 1), i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0);
}

/** x f32 [n] → codes of a value, one each 2 bytes, zeros up to n16, and its scale. */
export function storeValue(x: usize, n: u32, n16: usize, codes: usize, scale: usize): void {
  const inv = scaleRow(x, n, scale);
  for (let i: usize = 0; i < n16; i++) store<i8>(codes + (i << 1), i < n ? codeOf(load<f32>(x + (i << 2)), inv) : 0);
}
