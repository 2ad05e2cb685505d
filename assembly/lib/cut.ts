// The k greatest magnitudes of a row of f32: bits without a sign are ordered as their floats are, NaN above all others. The cut is found bit by bit,
// from where it was the last time; the choice does not depend on that.

/** A class without fields; changetype<C>(0) calls its methods. */
export interface Counter {
  /** How many of n floats at s have magnitudes whose bits are `least` or more, a whole number > 0. */
  count(s: usize, n: u32, least: i32): u32;
}

/** Steps of the first search upwards or downwards from the last cut: a 32nd of a factor of 2. */
const STEP: i32 = 1 << 18;
const MOST: i32 = 0x7fffffff;

/** Bits of the cut: of n magnitudes, of which more than k are not 0, at least k are as great, and fewer than k are greater or all of them are kept. */
export function cutOf<C extends Counter>(s: usize, n: u32, k: u32, last: i32): i32 {
  const c = changetype<C>(0);
  let low: i32 = 1;
  let high: i32 = MOST;
  let at = max(last, 1);
  let step = STEP;
  // count(low) ≥ k > count(high)
  while (high - low > 1) {
    const many = c.count(s, n, at);
    if (many == k) return at;
    if (many > k) low = at;
    else high = at;
    const next = many > k ? at + min(step, MOST - at) : at - min(step, at - 1);
    step = min(step << 1, 1 << 29);
    at = next > low && next < high ? next : low + ((high - low) >> 1);
  }
  return low;
}

/** Lists the k greatest of n in ascending order at `entries`; returns how many: fewer if the others are 0. */
export function listGreatest<C extends Counter>(s: usize, n: u32, k: u32, cut: i32, entries: usize): u32 {
  let equal = k - min(k, changetype<C>(0).count(s, n, cut + 1));
  let many: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const bits = load<i32>(s + ((<usize>i) << 2)) & 0x7fffffff;
    const taken = bits > cut || (bits == cut && equal > 0);
    if (bits == cut && equal > 0) equal--;
    store<u32>(entries + ((<usize>many) << 2), i);
    many += taken ? 1 : 0;
  }
  return many;
}

/** Sets to 0 what is not among the k greatest. */
export function keepGreatest<C extends Counter>(s: usize, n: u32, k: u32, cut: i32): void {
  let equal = k - min(k, changetype<C>(0).count(s, n, cut + 1));
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const bits = load<i32>(s + i) & 0x7fffffff;
    if (bits > cut) continue;
    if (bits == cut && equal > 0) equal--;
    else store<f32>(s + i, 0);
  }
}
