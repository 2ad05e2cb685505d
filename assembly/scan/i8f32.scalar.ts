// Selective scan of rows of i8static [rows, channels] with states of f32. A unit owns blocks of 16 channels, for all rows.
import { ScanOp } from "../abi.gen";
import { scan8 } from "../lib/scan8.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ScanOp>(p);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  scan8<f32>(op, load<u32>(op.rows), from, to);
}
