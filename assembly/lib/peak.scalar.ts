// The greatest of up to 64 values, NaN if one of them is not finite.

/** Values that share a peak (runtime/ops/peaks/op.ts). */
export const SPAN: u32 = 64;

/** max − max and min − min are 0, or NaN where there is an infinity. */
export function settled(most: f32, least: f32): f32 {
  return most - most + (least - least) + most;
}

export function peak(x: usize, n: u32): f32 {
  let most = load<f32>(x);
  let least = most;
  for (let i: u32 = 1; i < n; i++) {
    const v = load<f32>(x + ((<usize>i) << 2));
    most = max<f32>(most, v);
    least = min<f32>(least, v);
  }
  return settled(most, least);
}
