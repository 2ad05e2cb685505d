// IEEE binary16 rows: f32 → f16 rounds to nearest even and clamps to ±65504. A row that holds a NaN becomes NaN as a whole (as in the i8
// cache, whose scale becomes NaN), so that a reader need look at the first element only.

export const HALF_NAN: u16 = 0x7e00;

/** x f32 [n] → y f16 [n]. */
export function storeHalves(x: usize, n: usize, y: usize): void {
  let poisoned = false;
  for (let i: usize = 0; i < n; i++) {
    const v = load<f32>(x + (i << 2));
    if (v != v) poisoned = true;
    store<u16>(y + (i << 1), narrow(v));
  }
  if (poisoned) fillNaN(y, n);
}

export function fillNaN(y: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) store<u16>(y + (i << 1), HALF_NAN);
}

/** Bits of the nearest f16 of v, no NaN. */
export function narrow(v: f32): u16 {
  const sign = (reinterpret<u32>(v) >> 16) & 0x8000;
  const magnitude = min<f32>(abs<f32>(v), 65504);
  const u = reinterpret<u32>(magnitude);
  // below 2^-14 the f16 step is 2^-24, the f32 step above 0.5: adding 0.5 rounds there
  if (u < 0x38800000) return <u16>(sign | (reinterpret<u32>(magnitude + 0.5) - 0x3f000000));
  return <u16>(sign | ((u - 0x38000000 + 0xfff + ((u >> 13) & 1)) >> 13));
}

/** 2^-112 times the f16 at p, exact, subnormals included. */
export function widenSmall(p: usize): f32 {
  return reinterpret<f32>(((<i32>load<i16>(p)) << 13) & 0x8fffe000);
}

/** Makes value j NaN where row j of f16 rows `stride` bytes apart is. values f32 [n]. */
export function poison(values: usize, rows: usize, stride: usize, n: u32): void {
  for (let j: usize = 0; j < n; j++) {
    if (load<u16>(rows) == HALF_NAN) store<f32>(values + (j << 2), NaN);
    rows += stride;
  }
}

/** Is one of n rows NaN? */
export function poisoned(rows: usize, stride: usize, n: u32): bool {
  for (; n; n--) {
    if (load<u16>(rows) == HALF_NAN) return true;
    rows += stride;
  }
  return false;
}
