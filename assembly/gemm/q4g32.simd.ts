// As gemv/q4g32, with the weights unpacked once for 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { tiledQ4 } from "../lib/q4tile.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  tiledQ4<u32>(changetype<LinearOp>(p), unit, units);
}
