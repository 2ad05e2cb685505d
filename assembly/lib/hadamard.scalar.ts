// Orthonormal Hadamard transform of one f32 row, as runtime/num/hadamard.ts says, in its order.

/** Signs of the parts of order 12 and 20: bit j of word i is set where row i has −1 at j. */
const SIGNS_12 = memory.data<u32>([0x0, 0xb89, 0x713, 0xe25, 0xc4b, 0x897, 0x12f, 0x25d, 0x4b9, 0x971, 0x2e3, 0x5c5], 16);
const SIGNS_20 = memory.data<u32>(
  [0x0, 0x9ea19, 0x3d433, 0x7a865, 0xf50c9, 0xea193, 0xd4327, 0xa864f, 0x50c9f, 0xa193d, 0x4327b, 0x864f5, 0xc9eb, 0x193d5, 0x327a9, 0x64f51, 0xc9ea1, 0x93d43, 0x27a87, 0x4f50d],
  16,
);

/** Order of the part that is no power of two, by the length of a block. */
export function baseOf(block: u32): u32 {
  const odd = block >> ctz(block);
  return odd == 3 ? 12 : odd == 5 ? 20 : 1;
}

/** Length of a block of a row of k: all of it, or its greatest power of two. */
export function blockOf(k: u32): u32 {
  const power = k & -k;
  const odd = k / power;
  return odd == 1 || (odd == 3 && power >= 16) || (odd == 5 && power >= 16) ? k : power;
}

/** Signs of row i of the part. */
export function signsOf(base: u32, i: u32): u32 {
  if (base == 1) return 0;
  return load<u32>((base == 12 ? SIGNS_12 : SIGNS_20) + ((<usize>i) << 2));
}

/** y = H x; x, y f32 [k], apart. */
export function hadamardRow(x: usize, k: u32, y: usize): void {
  const block = blockOf(k);
  const bytes = (<usize>block) << 2;
  const end = x + ((<usize>k) << 2);
  for (; x < end; x += bytes) {
    transformBlock(x, block, y);
    y += bytes;
  }
}

function transformBlock(x: usize, block: u32, y: usize): void {
  const base = baseOf(block);
  const length = <usize>(block / base);
  for (let i: u32 = 0; i < base; i++) {
    const signs = signsOf(base, i);
    for (let c: usize = 0; c < length; c++) {
      let sum = load<f32>(x + (c << 2));
      if (signs & 1) sum = -sum;
      for (let j: u32 = 1; j < base; j++) {
        const v = load<f32>(x + ((<usize>j * length + c) << 2));
        sum = (signs >> j) & 1 ? sum - v : sum + v;
      }
      store<f32>(y + ((<usize>i * length + c) << 2), sum);
    }
  }
  for (let half: usize = 1; half < length; half <<= 1)
    for (let i: usize = 0; i < <usize>block; i++) {
      if (i & half) continue;
      const at = y + (i << 2);
      const a = load<f32>(at);
      const b = load<f32>(at + (half << 2));
      store<f32>(at, a + b);
      store<f32>(at + (half << 2), a - b);
    }
  const factor = <f32>(1 / Math.sqrt(<f64>block));
  for (let i: usize = 0; i < <usize>block; i++) store<f32>(y + (i << 2), load<f32>(y + (i << 2)) * factor);
}
