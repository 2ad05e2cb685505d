// y = x W · channels (+ bias) of the rows of W picked, or of all; W q4n, x i8tok. A unit owns runs of 32 channels, for all tokens.
import { DotPairs } from "../lib/pairs.relaxed";
import { sumRows } from "../lib/rowsum.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  sumRows<DotPairs>(p, unit, units);
}
