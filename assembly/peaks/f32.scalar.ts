// The greatest of each run of 64 values, NaN where one is not finite: f32 [rows, k] → [rows, blocks]. A unit owns runs of any row.
import { PeaksOp } from "../abi.gen";
import { peak, SPAN } from "../lib/peak.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<PeaksOp>(p);
  const total = load<u32>(op.rows) * op.blocks;
  const end = start(unit + 1, units, total);
  for (let i = start(unit, units, total); i < end; i++) {
    const row = i / op.blocks;
    const block = i % op.blocks;
    const from = block * SPAN;
    store<f32>(<usize>op.y + ((<usize>row * op.ys + block) << 2), peak(<usize>op.x + ((<usize>row * op.xs + from) << 2), min<u32>(SPAN, op.k - from)));
  }
}
