// Orthonormal Hadamard transform of one f32 row; hadamard.scalar.ts has the same operations in the same order. Blocks and the runs that
// butterflies go over are whole vectors.
import { ODD_SIGNS, SIGN_TABLE, UPPER_SIGNS } from "./constants";
import { baseOf, blockOf, signsOf } from "./hadamard.scalar";

/** y = H x; x, y f32 [k], apart. */
export function hadamardRow(x: usize, k: u32, y: usize): void {
  const block = blockOf(k);
  const bytes = (<usize>block) << 2;
  const factor = f32x4.splat(<f32>(1 / Math.sqrt(<f64>block)));
  const base = baseOf(block);
  const end = x + ((<usize>k) << 2);
  for (; x < end; x += bytes) {
    mix(x, base, bytes / base, y);
    pairs(y, bytes);
    for (let half: usize = 16; half < bytes / base; half <<= 1) butterflies(y, bytes, half);
    for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, f32x4.mul(v128.load(y + i), factor));
    y += bytes;
  }
}

/** The part that is no power of two, over runs of `run` bytes. */
function mix(x: usize, base: u32, run: usize, y: usize): void {
  for (let i: u32 = 0; i < base; i++) {
    const signs = signsOf(base, i);
    for (let c: usize = 0; c < run; c += 16) {
      let sum = v128.xor(v128.load(x + c), v128.load(SIGN_TABLE + ((signs & 1) << 4)));
      let from = x + c;
      for (let rest = signs >> 1, j: u32 = 1; j < base; j++) {
        from += run;
        sum = f32x4.add(sum, v128.xor(v128.load(from), v128.load(SIGN_TABLE + ((rest & 1) << 4))));
        rest >>= 1;
      }
      v128.store(y + c, sum);
    }
    y += run;
  }
}

/** Butterflies of neighbours, then of pairs of them. */
function pairs(y: usize, bytes: usize): void {
  const odd = v128.load(ODD_SIGNS);
  const upper = v128.load(UPPER_SIGNS);
  for (const end = y + bytes; y < end; y += 16) {
    const v = v128.load(y);
    const w = f32x4.add(v128.shuffle<f32>(v, v, 0, 0, 2, 2), v128.xor(v128.shuffle<f32>(v, v, 1, 1, 3, 3), odd));
    v128.store(y, f32x4.add(v128.shuffle<f32>(w, w, 0, 1, 0, 1), v128.xor(v128.shuffle<f32>(w, w, 2, 3, 2, 3), upper)));
  }
}

/** Butterflies of vectors `half` bytes apart. */
function butterflies(y: usize, bytes: usize, half: usize): void {
  for (const end = y + bytes; y < end; y += half) {
    for (const stop = y + half; y < stop; y += 16) {
      const a = v128.load(y);
      const b = v128.load(y + half);
      v128.store(y, f32x4.add(a, b));
      v128.store(y + half, f32x4.sub(a, b));
    }
  }
}
