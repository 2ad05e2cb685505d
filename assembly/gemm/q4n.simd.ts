// As gemv/q4n, with the weights unpacked once for 4 tokens. All rows, same bits.
import { WideCodes } from "../lib/rowcodes.simd";
import { tileRows } from "../lib/rowtile.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tileRows<WideCodes>(p, unit, units);
}
