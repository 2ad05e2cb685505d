// Copies f32 rows [rows, k]; memory.copy is the engine's own vector code in every build. A unit owns whole rows.
import { CopyOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<CopyOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    memory.copy(<usize>op.y + ((<usize>r * op.ys) << 2), <usize>op.x + ((<usize>r * op.xs) << 2), (<usize>op.k) << 2);
  }
}
