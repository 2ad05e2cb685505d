// Puts parts of attention (part.ts) together, four floats at a time; fold.scalar.ts says what is computed and gives the same bits.
import { exp } from "./math.scalar";
import { PART_Y, paddedHead } from "./part";
import { storePart } from "./tail.simd";

/** Folds the part of later positions into that of earlier ones. */
export function fold(earlier: usize, later: usize, dh: u32): void {
  const most = max<f32>(load<f32>(earlier), load<f32>(later));
  const a = exp(load<f32>(earlier) - most);
  const b = exp(load<f32>(later) - most);
  store<f32>(earlier, most);
  store<f32>(earlier, load<f32>(earlier, 4) * a + load<f32>(later, 4) * b, 4);
  const as = f32x4.splat(a);
  const bs = f32x4.splat(b);
  const end = PART_Y + (paddedHead(dh) << 2);
  for (let i = PART_Y; i < end; i += 16) v128.store(earlier + i, f32x4.add(f32x4.mul(v128.load(earlier + i), as), f32x4.mul(v128.load(later + i), bs)));
}

/** y = the part's sum over its l, y f32 [dh]. */
export function finish(part: usize, y: usize, dh: u32): void {
  const inv = f32x4.splat(1 / load<f32>(part, 4));
  const end = y + ((<usize>dh) << 2);
  part += PART_Y;
  for (; y + 16 <= end; y += 16) {
    v128.store(y, f32x4.mul(v128.load(part), inv));
    part += 16;
  }
  if (y < end) storePart(y, f32x4.mul(v128.load(part), inv), (end - y) >> 2);
}
