// y = x Wᵀ (+ bias) (+ residual) of the rows of W in a list, or of all; W q4n, x i8tok. A unit owns rows, for all tokens.
import { QuadCodes } from "../lib/rowcodes.relaxed";
import { streamRows } from "../lib/rowdot.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  streamRows<QuadCodes>(p, unit, units);
}
