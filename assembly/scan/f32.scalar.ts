// Selective scan of f32 rows [rows, channels]. A unit owns blocks of 16 channels, for all rows.
import { ScanOp } from "../abi.gen";
import { activateRow, SILU } from "../lib/activation.scalar";
import { scanChannels } from "../lib/scan.scalar";
import { softplusRow } from "../lib/softplus.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ScanOp>(p);
  const rows = load<u32>(op.rows);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  if (from >= to) return;
  const at = (<usize>from) << 2;
  for (let r: usize = 0; r < rows; r++) {
    softplusRow(<usize>op.dt + ((r * op.dts) << 2) + at, <usize>op.bias + at, to - from);
    activateRow(SILU, <usize>op.z + ((r * op.zs) << 2) + at, 0, <usize>op.y + ((r * op.ys) << 2) + at, to - from);
  }
  scanChannels(op, rows, from, to);
}
