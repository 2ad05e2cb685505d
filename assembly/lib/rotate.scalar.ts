// Rotation of `half` pairs (a, b) of one head in place: a' = a·cos − b·sin, b' = a·sin + b·cos, each product and sum rounded once.
// table f32 [2·half]: the cosines, then the sines.

/** Pairs (x[i], x[i + half]). */
export function rotateHalves(x: usize, table: usize, half: u32): void {
  const apart = (<usize>half) << 2;
  for (let i: usize = 0; i < apart; i += 4) rotate(x + i, x + i + apart, load<f32>(table + i), load<f32>(table + i + apart));
}

/** Pairs (x[2i], x[2i + 1]). */
export function rotatePairs(x: usize, table: usize, half: u32): void {
  const apart = (<usize>half) << 2;
  for (let i: usize = 0; i < apart; i += 4) rotate(x + 2 * i, x + 2 * i + 4, load<f32>(table + i), load<f32>(table + i + apart));
}

export function rotate(pa: usize, pb: usize, c: f32, s: f32): void {
  const a = load<f32>(pa);
  const b = load<f32>(pb);
  store<f32>(pa, a * c - b * s);
  store<f32>(pb, a * s + b * c);
}
