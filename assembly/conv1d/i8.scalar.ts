// Causal depthwise convolution of rows of i8static [rows, channels]. A unit owns blocks of 16 channels, for all rows.
import { Conv1dOp } from "../abi.gen";
import { convolve8, keepCodes } from "../lib/conv8.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<Conv1dOp>(p);
  const rows = load<u32>(op.rows);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  if (from >= to) return;
  convolve8(op, rows, from, to);
  keepCodes(op, rows, from, to);
}
