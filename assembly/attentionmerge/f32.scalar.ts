// Puts the parts of attention together (lib/part.ts), in order of position. A unit owns whole (row, head) pairs.
import { AttentionmergeOp } from "../abi.gen";
import { finish, fold } from "../lib/fold.scalar";
import { partBytes } from "../lib/part";
import { blocksSeen, firstSeen } from "../lib/seen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<AttentionmergeOp>(p);
  const bytes = partBytes(op.dh);
  const pairs = load<u32>(op.rows) * op.heads;
  const end = start(unit + 1, units, pairs);
  for (let i = start(unit, units, pairs); i < end; i++) {
    const last = load<u32>(op.pos) + i / op.heads;
    const parts = <usize>op.parts + <usize>i * blocksSeen(0, op.capacity - 1) * bytes;
    const n = blocksSeen(firstSeen(last, op.window), last);
    for (let b: usize = 1; b < n; b++) fold(parts, parts + b * bytes, op.dh);
    finish(parts, <usize>op.y + ((<usize>(i / op.heads) * op.ys + <usize>(i % op.heads) * op.dh) << 2), op.dh);
  }
}
