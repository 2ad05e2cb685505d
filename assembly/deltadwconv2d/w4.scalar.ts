// Depthwise convolution of a stream of images of stored bytes with int4 weights. A unit owns rows of outputs.
import { Deltadwconv2dOp } from "../abi.gen";
import { depthwiseChanges } from "../lib/depthwise.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  depthwiseChanges(changetype<Deltadwconv2dOp>(p), unit, units);
}
