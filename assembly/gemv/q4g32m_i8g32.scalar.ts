// y = x Wᵀ (+ bias) (+ residual); W q4g32m, x i8g32 (codes and zero points). A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { linearQ4m } from "../lib/q4m.scalar";
import { GroupRow } from "../lib/scaled.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  linearQ4m<GroupRow>(changetype<LinearOp>(p), unit, units);
}
