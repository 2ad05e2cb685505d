// Activation, gated or not, of f32 rows [rows, k] into i8g32 rows: the f32 row first takes the place of the panel. A unit owns whole rows.
import { ActivateOp } from "../abi.gen";
import { activateRow } from "../lib/activation.simd";
import { encodeRow } from "../lib/i8g32.simd";
import { panelAt } from "../lib/i8row";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ActivateOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const panel = panelAt(op.k);
  for (let r = start(unit, units, rows); r < end; r++) {
    const y = <usize>op.y + <usize>r * op.ys;
    const u = op.u ? <usize>op.u + ((<usize>r * op.us) << 2) : 0;
    activateRow(op.kind, <usize>op.g + ((<usize>r * op.gs) << 2), u, y + panel, op.k);
    encodeRow(y + panel, op.k, y, op.panel);
  }
}
