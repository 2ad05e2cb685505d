// y = x Wᵀ (+ bias) (+ residual); W q4g32, x i8tok with panel q4. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { linearQ4 } from "../lib/q4.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  linearQ4<u32>(changetype<LinearOp>(p), unit, units);
}
