// What a query sees, cut into blocks at whole multiples of BLOCK positions, and the optional record of how much it looked.
// The cut depends on positions alone: whoever computes a block, and when, the bits are the same.

/** Positions of one block. A power of two; 14-bit weights times int8 codes over a block stay inside 32 bits. */
export const BLOCK: u32 = 256;

/** First of the positions that a query at position `last` sees; window 0 means all. */
export function firstSeen(last: u32, window: u32): u32 {
  return window != 0 && last >= window ? last + 1 - window : 0;
}

/** Blocks that hold positions first … last. */
export function blocksSeen(first: u32, last: u32): u32 {
  return last / BLOCK - first / BLOCK + 1;
}

/** pattern[i] ·= factor for i in [from, to), pattern f32. */
export function scalePattern(pattern: usize, from: u32, to: u32, factor: f32): void {
  const end = pattern + ((<usize>to) << 2);
  for (let p = pattern + ((<usize>from) << 2); p < end; p += 4) store<f32>(p, load<f32>(p) * factor);
}
