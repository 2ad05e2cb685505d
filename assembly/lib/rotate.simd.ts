// Rotation of `half` pairs (a, b) of one head in place: a' = a·cos − b·sin, b' = a·sin + b·cos, each product and sum rounded once.
// table f32 [2·half]: the cosines, then the sines.
import { rotate } from "./rotate.scalar";

/** Pairs (x[i], x[i + half]). */
export function rotateHalves(x: usize, table: usize, half: u32): void {
  const apart = (<usize>half) << 2;
  let i: usize = 0;
  for (; i + 16 <= apart; i += 16) {
    const a = v128.load(x + i);
    const b = v128.load(x + i + apart);
    const c = v128.load(table + i);
    const s = v128.load(table + i + apart);
    v128.store(x + i, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
    v128.store(x + i + apart, f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c)));
  }
  for (; i < apart; i += 4) rotate(x + i, x + i + apart, load<f32>(table + i), load<f32>(table + i + apart));
}

/** Pairs (x[2i], x[2i + 1]). */
export function rotatePairs(x: usize, table: usize, half: u32): void {
  const apart = (<usize>half) << 2;
  let i: usize = 0;
  for (; i + 16 <= apart; i += 16) {
    const p = x + 2 * i;
    const low = v128.load(p);
    const high = v128.load(p, 16);
    const a = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
    const b = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    const c = v128.load(table + i);
    const s = v128.load(table + i + apart);
    const ra = f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s));
    const rb = f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c));
    v128.store(p, v128.shuffle<f32>(ra, rb, 0, 4, 1, 5));
    v128.store(p, v128.shuffle<f32>(ra, rb, 2, 6, 3, 7), 16);
  }
  for (; i < apart; i += 4) rotate(x + 2 * i, x + 2 * i + 4, load<f32>(table + i), load<f32>(table + i + apart));
}
