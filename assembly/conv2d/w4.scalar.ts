// Convolution of images of stored bytes with int4 weights. A unit owns rows of outputs.
import { Conv2dOp } from "../abi.gen";
import { convolve } from "../lib/convolve.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  convolve(changetype<Conv2dOp>(p), unit, units, true);
}
