// y = cap · tanh(x / cap), f32 rows [rows, k]. A unit owns whole rows.
import { SoftcapOp } from "../abi.gen";
import { capRow } from "../lib/softmax.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<SoftcapOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    capRow(<usize>op.x + ((<usize>r * op.xs) << 2), <usize>op.y + ((<usize>r * op.ys) << 2), op.k, op.cap);
  }
}
