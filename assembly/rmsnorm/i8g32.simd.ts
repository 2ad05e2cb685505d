// RMSNorm of f32 rows [rows, k] into i8g32 rows: the f32 row first takes the place of the panel. A unit owns whole rows.
import { RmsnormOp } from "../abi.gen";
import { encodeRow } from "../lib/i8g32.simd";
import { panelAt } from "../lib/i8row";
import { rmsRow } from "../lib/rms.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<RmsnormOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const panel = panelAt(op.k);
  for (let r = start(unit, units, rows); r < end; r++) {
    const y = <usize>op.y + <usize>r * op.ys;
    rmsRow(<usize>op.x + ((<usize>r * op.xs) << 2), op.weight, y + panel, op.k, op.eps, op.offset);
    encodeRow(y + panel, op.k, y, op.panel);
  }
}
