// y = x W · channels (+ bias) of the rows of W picked, or of all; W q4n, x i8tok. A unit owns runs of 32 channels, for all tokens.
import { sumQuads } from "../lib/rowquads.relaxed";

export function kernel(p: usize, unit: u32, units: u32): void {
  sumQuads(p, unit, units);
}
