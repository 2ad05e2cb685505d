// Selective scan of rows of i8static [rows, channels] with states of i8. A unit owns blocks of 16 channels, for all rows. A block that is not
// whole takes the scalar way.
import { ScanOp } from "../abi.gen";
import { scan8 as scanTail } from "../lib/scan8.scalar";
import { scan8 } from "../lib/scan8.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<ScanOp>(p);
  const rows = load<u32>(op.rows);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  const whole = max<u32>(to & ~15, from);
  scan8<i8>(op, rows, from, whole);
  scanTail<i8>(op, rows, whole, to);
}
