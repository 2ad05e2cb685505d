// y = x Wᵀ (+ bias) (+ residual); W q4g32m, x i8tok (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { linearQ4m } from "../lib/q4m.scalar";
import { TokenRow } from "../lib/scaled.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  linearQ4m<TokenRow>(changetype<LinearOp>(p), unit, units);
}
