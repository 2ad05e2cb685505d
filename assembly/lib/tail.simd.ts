// The last n < 4 floats of a row: read and written without touching what lies behind.

/** The first n < 4 floats at p, zero after them. */
export function loadPart(p: usize, n: usize): v128 {
  if (n == 0) return f32x4.splat(0);
  if (n == 1) return v128.load32_zero(p);
  const two = v128.load64_zero(p);
  return n == 2 ? two : v128.load32_lane(p, two, 2, 8);
}

/** Stores the first n < 4 lanes at p. */
export function storePart(p: usize, v: v128, n: usize): void {
  if (n > 1) v128.store64_lane(p, v, 0);
  if (n == 1) v128.store32_lane(p, v, 0);
  else if (n == 3) v128.store32_lane(p, v, 2, 8);
}
