// Depthwise convolution of a stream of images of stored bytes with int4 weights, 16 channels a vector. A unit owns rows of outputs.
import { depthwiseChanges, TAPS_W4 } from "../lib/depthwise.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  depthwiseChanges(p, unit, units, TAPS_W4);
}
