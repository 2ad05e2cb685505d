// Arranges f32 rows [rows, k] as op.columns says and quantises them into split161 rows. A unit owns whole rows.
import { QuantiseOp } from "../abi.gen";
import { start } from "../lib/split";
import { encodeSplit } from "../lib/split161.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<QuantiseOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) encodeSplit(<usize>op.x + ((<usize>r * op.xs) << 2), op.k, op.columns, <usize>op.y + <usize>r * op.ys, op.panel);
}
