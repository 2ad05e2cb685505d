// Activation, gated or not, of f32 rows [rows, k] into f32 rows. A unit owns whole rows.
import { ActivateOp } from "../abi.gen";
import { activateRow } from "../lib/activation.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ActivateOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    const u = op.u ? <usize>op.u + ((<usize>r * op.us) << 2) : 0;
    activateRow(op.kind, <usize>op.g + ((<usize>r * op.gs) << 2), u, <usize>op.y + ((<usize>r * op.ys) << 2), op.k);
  }
}
