// As gemv/q4n, with the weights unpacked once for 4 tokens. All rows, same bits.
import { QuadCodes } from "../lib/rowcodes.relaxed";
import { tileRows } from "../lib/rowtile.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tileRows<QuadCodes>(p, unit, units);
}
