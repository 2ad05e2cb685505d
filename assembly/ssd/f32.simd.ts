// Selective scan of Mamba-2 of f32 rows. A unit owns blocks of 16 channels, for all rows; lanes are channels. Heads that are no whole blocks take
// the scalar way.
import { SsdOp } from "../abi.gen";
import { start } from "../lib/split";
import { scanChannels } from "../lib/ssd.scalar";
import { scanBlocks } from "../lib/ssd.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<SsdOp>(p);
  const rows = load<u32>(op.rows);
  const channels = op.heads * op.dh;
  const blocks = (channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, channels);
  if (op.dh & 15) scanChannels(op, 0, rows, from, to);
  else scanBlocks(op, 0, rows, from, to);
}
