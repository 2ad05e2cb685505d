// Requantisation of a sum to a stored byte (runtime/num/fx16.ts says what is computed).

/** Bytes of the scales and biases of 16 channels. */
export const QUANT: usize = 64;

/** Stored byte of the sum of channel c; quant: scales and biases of the layer. */
export function requantise(acc: i32, quant: usize, c: u32, shift: u32, relu: u32): i32 {
  const at = quant + <usize>(c >> 4) * QUANT + ((<usize>c & 15) << 1);
  return fx16(acc, load<i16>(at), load<i16>(at, 32), shift, relu);
}

export function fx16(acc: i32, scale: i32, bias: i32, shift: u32, relu: u32): i32 {
  let v = <i32>((<i64>acc * scale + ((<i64>1) << (shift - 1))) >> shift) + bias;
  if (relu) v = max<i32>(v, 0);
  return min<i32>(max<i32>(v - 128, -128), 127);
}
