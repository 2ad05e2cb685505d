// Rows of int8 codes with one f32 scale a row (absmax / 127), as the i8 caches hold them.

/** x f32 [n] → codes int8 [n], one scale. A NaN makes the scale NaN. */
export function storeCodes(x: usize, n: u32, codes: usize, scale: usize): void {
  let amax: f32 = 0;
  for (let i: usize = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + (i << 2))));
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  for (let i: usize = 0; i < n; i++) {
    const code = max<f32>(-127, min<f32>(127, nearest<f32>(load<f32>(x + (i << 2)) * inv)));
    store<i8>(codes + i, <i8>(<i32>code));
  }
  store<f32>(scale, amax / 127);
}
