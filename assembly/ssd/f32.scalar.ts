// Selective scan of Mamba-2 of f32 rows. A unit owns blocks of 16 channels, for all rows.
import { SsdOp } from "../abi.gen";
import { start } from "../lib/split";
import { scanChannels } from "../lib/ssd.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<SsdOp>(p);
  const channels = op.heads * op.dh;
  const blocks = (channels + 15) >> 4;
  scanChannels(op, 0, load<u32>(op.rows), start(unit, units, blocks) << 4, min<u32>(start(unit + 1, units, blocks) << 4, channels));
}
