// Puts parts of attention (part.ts) together. Every build folds in order of position, so that the bits are the same.
import { exp } from "./math.scalar";
import { PART_Y } from "./part";

/** Folds the part of later positions into that of earlier ones: each is brought to the greater of the two greatest scores. */
export function fold(earlier: usize, later: usize, dh: u32): void {
  const most = max<f32>(load<f32>(earlier), load<f32>(later));
  const a = exp(load<f32>(earlier) - most);
  const b = exp(load<f32>(later) - most);
  store<f32>(earlier, most);
  store<f32>(earlier, load<f32>(earlier, 4) * a + load<f32>(later, 4) * b, 4);
  for (let i = PART_Y; i < PART_Y + ((<usize>dh) << 2); i += 4) store<f32>(earlier + i, load<f32>(earlier + i) * a + load<f32>(later + i) * b);
}

/** y = the part's sum over its l, y f32 [dh]. */
export function finish(part: usize, y: usize, dh: u32): void {
  const inv: f32 = 1 / load<f32>(part, 4);
  for (let i: usize = 0; i < (<usize>dh) << 2; i += 4) store<f32>(y + i, load<f32>(part + PART_Y + i) * inv);
}
