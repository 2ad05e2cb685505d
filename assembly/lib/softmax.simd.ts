// Softmax over a block of positions, and soft-capping of one f32 row.
import { sum } from "./lanes.simd";
import { expRow, tanh } from "./math.simd";
import { loadPart, storePart } from "./tail.simd";

/** s[j] becomes e^(s[j] − m), m the greatest; m and l = Σ go to the head of the part. n > 0. */
export function softmax(s: usize, n: u32, part: usize): void {
  const most = greatest(s, s + ((<usize>n) << 2));
  expRow(s, n, most);
  store<f32>(part, most);
  store<f32>(part, sum(s, n), 4);
}

/** The greatest float in [s, end). A NaN may be overlooked: its own weight and so the sum become NaN. */
function greatest(s: usize, end: usize): f32 {
  let most = load<f32>(s);
  let m = f32x4.splat(most);
  for (; s + 16 <= end; s += 16) m = f32x4.pmax(m, v128.load(s));
  most = max<f32>(max<f32>(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)), max<f32>(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)));
  for (; s < end; s += 4) most = max<f32>(most, load<f32>(s));
  return most;
}

/** y = cap · tanh(x · (1 / cap)); x, y f32 [k], y may be x. */
export function capRow(x: usize, y: usize, k: u32, cap: f32): void {
  const end = x + ((<usize>k) << 2);
  const caps = f32x4.splat(cap);
  const inv = f32x4.splat(1 / cap);
  for (; x + 16 <= end; x += 16) {
    v128.store(y, f32x4.mul(tanh(f32x4.mul(v128.load(x), inv)), caps));
    y += 16;
  }
  const left = (end - x) >> 2;
  storePart(y, f32x4.mul(tanh(f32x4.mul(loadPart(x, left), inv)), caps), left);
}
