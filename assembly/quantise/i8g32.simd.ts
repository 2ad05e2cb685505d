// Quantises f32 rows [rows, k] into i8g32 rows. A unit owns whole rows.
import { QuantiseOp } from "../abi.gen";
import { encodeRow } from "../lib/i8g32.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<QuantiseOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) encodeRow(<usize>op.x + ((<usize>r * op.xs) << 2), op.k, <usize>op.y + <usize>r * op.ys, op.panel);
}
