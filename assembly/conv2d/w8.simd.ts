// Convolution of images of stored bytes with int8 weights. A unit owns rows of outputs.
import { Bytes, convolve } from "../lib/convolve.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolve<Bytes>(p, unit, units);
}
