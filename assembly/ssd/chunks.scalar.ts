// Selective scan of Mamba-2 of f32 rows, whole chunks of rows as products of matrices, the rows behind them one after the other. A unit owns whole
// heads, for all rows.
import { SsdOp } from "../abi.gen";
import { CHUNK, scanChunk } from "../lib/chunk.scalar";
import { start } from "../lib/split";
import { scanChannels } from "../lib/ssd.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<SsdOp>(p);
  const rows = load<u32>(op.rows);
  const from = start(unit, units, op.heads);
  const to = start(unit + 1, units, op.heads);
  if (from >= to) return;
  const scratch = <usize>op.scratch + ((<usize>unit * op.ss) << 2);
  const whole = rows - (rows % CHUNK);
  for (let row: u32 = 0; row < whole; row += CHUNK) scanChunk(op, scratch, row, from, to);
  scanChannels(op, whole, rows, from * op.dh, to * op.dh);
}
