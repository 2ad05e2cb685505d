// Depthwise convolution of images of stored bytes with int8 weights. A unit owns rows of outputs.
import { Dwconv2dOp } from "../abi.gen";
import { depthwise } from "../lib/depthwise.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  depthwise(changetype<Dwconv2dOp>(p), unit, units);
}
