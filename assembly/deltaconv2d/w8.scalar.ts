// Convolution of a stream of images of stored bytes with int8 weights. A unit owns rows of outputs.
import { Deltaconv2dOp } from "../abi.gen";
import { convolveChanges } from "../lib/deltaconv.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolveChanges(changetype<Deltaconv2dOp>(p), unit, units, false);
}
