// The mean of each window of f32 images. A unit owns rows of outputs.
import { PoolOp } from "../abi.gen";
import { pool } from "../lib/poolfloat.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  pool(changetype<PoolOp>(p), unit, units, false);
}
