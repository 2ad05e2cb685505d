// Convolution of images of stored bytes with int4 weights. A unit owns rows of outputs.
import { convolve, Nibbles } from "../lib/convolve.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolve<Nibbles>(p, unit, units);
}
