// What a query may look at, and the optional record of how much it looked.

/** First of the positions that a query at position `last` sees; window 0 means all. */
export function firstSeen(last: u32, window: u32): u32 {
  return window != 0 && last >= window ? last + 1 - window : 0;
}

/** pattern f32 [capacity]: weights[j] · inv at position first + j, j < n, zero elsewhere. */
export function writePattern(pattern: usize, weights: usize, inv: f32, first: u32, n: u32, capacity: u32): void {
  memory.fill(pattern, 0, (<usize>capacity) << 2);
  const to = pattern + ((<usize>first) << 2);
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(to + i, load<f32>(weights + i) * inv);
}
