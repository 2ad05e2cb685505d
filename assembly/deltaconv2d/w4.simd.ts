// Convolution of a stream of images of stored bytes with int4 weights. A unit owns rows of outputs.
import { Nibbles } from "../lib/convolve.simd";
import { convolveChanges } from "../lib/deltaconv.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolveChanges<Nibbles>(p, unit, units);
}
