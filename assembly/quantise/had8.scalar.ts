// Quantises f32 rows [rows, k] into had8 rows: the Hadamard transform, which stands where the panel goes, then the codes. A unit owns whole rows.
import { QuantiseOp } from "../abi.gen";
import { hadamardRow } from "../lib/hadamard.scalar";
import { panelAt } from "../lib/i8row";
import { encodeRow } from "../lib/i8tok.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<QuantiseOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const panel = panelAt(op.k);
  for (let r = start(unit, units, rows); r < end; r++) {
    const y = <usize>op.y + <usize>r * op.ys;
    hadamardRow(<usize>op.x + ((<usize>r * op.xs) << 2), op.k, y + panel);
    encodeRow(y + panel, op.k, y, op.panel, op.range);
  }
}
