// Float sums in the order every build keeps: element j goes to lane j mod 4, a tail too; lanes are combined (l0 + l1) + (l2 + l3).
// No result is ever -0 before the lanes meet, so the zeros that pad a tail change nothing. lanes.scalar.ts gives the same bits.
import { loadPart } from "./tail.simd";

/** (l0 + l1) + (l2 + l3). */
export function combine(v: v128): f32 {
  const even = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return even + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Sums of the lanes of four vectors: (l0 + l1) + (l2 + l3) each. */
export function lanes4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 2, 4, 6), v128.shuffle<f32>(c, d, 1, 3, 5, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** Σ x[j], x f32 [k]. */
export function sum(x: usize, k: u32): f32 {
  const end = x + ((<usize>k) << 2);
  let s = f32x4.splat(0);
  for (; x + 16 <= end; x += 16) s = f32x4.add(s, v128.load(x));
  return combine(f32x4.add(s, loadPart(x, (end - x) >> 2)));
}

/** Σ x[j]², x f32 [k]. */
export function sumOfSquares(x: usize, k: u32): f32 {
  const end = x + ((<usize>k) << 2);
  let s = f32x4.splat(0);
  for (; x + 16 <= end; x += 16) {
    const v = v128.load(x);
    s = f32x4.add(s, f32x4.mul(v, v));
  }
  const v = loadPart(x, (end - x) >> 2);
  return combine(f32x4.add(s, f32x4.mul(v, v)));
}
