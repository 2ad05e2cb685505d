// Selective scan of Mamba-2 of f32 rows, whole chunks of rows as products of matrices, the rows behind them one after the other. A unit owns whole
// heads, for all rows. Heads that are no whole blocks of 16 channels, and odd numbers of states, take the scalar way.
import { SsdOp } from "../abi.gen";
import { CHUNK, scanChunk as scanAny } from "../lib/chunk.scalar";
import { scanChunk } from "../lib/chunk.simd";
import { start } from "../lib/split";
import { scanChannels } from "../lib/ssd.scalar";
import { scanBlocks } from "../lib/ssd.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<SsdOp>(p);
  const rows = load<u32>(op.rows);
  const from = start(unit, units, op.heads);
  const to = start(unit + 1, units, op.heads);
  if (from >= to) return;
  const scratch = <usize>op.scratch + ((<usize>unit * op.ss) << 2);
  const whole = rows - (rows % CHUNK);
  const vectors = (op.dh & 15) == 0 && (op.states & 1) == 0;
  for (let row: u32 = 0; row < whole; row += CHUNK) {
    if (vectors) scanChunk(op, scratch, row, from, to);
    else scanAny(op, scratch, row, from, to);
  }
  if (op.dh & 15) scanChannels(op, whole, rows, from * op.dh, to * op.dh);
  else scanBlocks(op, whole, rows, from * op.dh, to * op.dh);
}
