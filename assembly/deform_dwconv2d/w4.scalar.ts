// Square-deformable depthwise convolution of images of stored bytes with int4 weights. A unit owns rows of outputs.
import { DeformDwconv2dOp } from "../abi.gen";
import { deformable } from "../lib/depthwise.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  deformable(changetype<DeformDwconv2dOp>(p), unit, units);
}
