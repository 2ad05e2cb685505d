// y = x Wᵀ (+ bias) (+ residual); W q8g32, x i8tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { linearQ8g32 } from "../lib/q8g32.scalar";
import { TokenRow } from "../lib/scaled.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  linearQ8g32<TokenRow>(changetype<LinearOp>(p), unit, units);
}
