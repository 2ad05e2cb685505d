// The greatest of each run of 64 values, NaN where one is not finite: f32 [rows, k] → [rows, blocks]. A unit owns runs of any row.
import { PeaksOp } from "../abi.gen";
import { peak, SPAN, settled } from "../lib/peak.scalar";
import { start } from "../lib/split";

function whole(x: usize): f32 {
  let most = v128.load(x);
  let least = most;
  for (let i: usize = 16; i < (<usize>SPAN) << 2; i += 16) {
    const v = v128.load(x + i);
    most = f32x4.max(most, v);
    least = f32x4.min(least, v);
  }
  most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
  least = f32x4.min(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
  return settled(max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)), min<f32>(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)));
}

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<PeaksOp>(p);
  const total = load<u32>(op.rows) * op.blocks;
  const end = start(unit + 1, units, total);
  for (let i = start(unit, units, total); i < end; i++) {
    const row = i / op.blocks;
    const block = i % op.blocks;
    const from = block * SPAN;
    const x = <usize>op.x + ((<usize>row * op.xs + from) << 2);
    const n = min<u32>(SPAN, op.k - from);
    store<f32>(<usize>op.y + ((<usize>row * op.ys + block) << 2), n == SPAN ? whole(x) : peak(x, n));
  }
}
