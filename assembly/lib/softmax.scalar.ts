// Softmax over a block of positions, and soft-capping of one f32 row.
import { sum } from "./lanes.scalar";
import { exp, tanh } from "./math.scalar";

/** s[j] becomes e^(s[j] − m), m the greatest; m and l = Σ go to the head of the part. n > 0. */
export function softmax(s: usize, n: u32, part: usize): void {
  const end = s + ((<usize>n) << 2);
  let most = load<f32>(s);
  for (let p = s; p < end; p += 4) most = max<f32>(most, load<f32>(p));
  for (let p = s; p < end; p += 4) store<f32>(p, exp(load<f32>(p) - most));
  store<f32>(part, most);
  store<f32>(part, sum(s, n), 4);
}

/** y = cap · tanh(x · (1 / cap)); x, y f32 [k], y may be x. */
export function capRow(x: usize, y: usize, k: u32, cap: f32): void {
  const inv: f32 = 1 / cap;
  for (let i: usize = 0; i < (<usize>k) << 2; i += 4) store<f32>(y + i, tanh(load<f32>(x + i) * inv) * cap);
}
