// y = x Wᵀ (+ bias) (+ residual); W q4g32, x i8tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { linearQ4 } from "../lib/q4.scalar";
import { TokenRow } from "../lib/scaled.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  linearQ4<TokenRow>(changetype<LinearOp>(p), 32, unit, units);
}
