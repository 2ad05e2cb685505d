// Convolution of a stream of images of stored bytes with int8 weights. A unit owns rows of outputs.
import { Bytes } from "../lib/convolve.simd";
import { convolveChanges } from "../lib/deltaconv.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolveChanges<Bytes>(p, unit, units);
}
