// Causal grouped-query attention over i8 caches: codes [kvheads, capacity, dh], then f32 scales [kvheads, capacity].
// A unit owns whole (row, head) pairs.
import { AttentionOp } from "../abi.gen";
import { mixCodes, scoreCodes, weigh } from "../lib/codedot.scalar";
import { firstSeen, writePattern } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<AttentionOp>(p);
  const pairs = load<u32>(op.rows) * op.heads;
  const scores = <usize>op.scores + ((<usize>unit * op.capacity) << 2);
  const end = start(unit + 1, units, pairs);
  for (let pair = start(unit, units, pairs); pair < end; pair++) attend(op, pair, scores);
}

function attend(op: AttentionOp, pair: u32, scores: usize): void {
  const row = pair / op.heads;
  const head = pair % op.heads;
  const last = load<u32>(op.pos) + row;
  const first = firstSeen(last, op.window);
  const n = last + 1 - first;
  const seen = <usize>(head / (op.heads / op.kvheads)) * op.capacity + first;
  const codes = seen * op.dh;
  const scales = <usize>op.kvheads * op.capacity * op.dh + (seen << 2);
  const q = <usize>op.q + ((<usize>row * op.qs + <usize>head * op.dh) << 2);
  const y = <usize>op.y + ((<usize>row * op.ys + <usize>head * op.dh) << 2);

  scoreCodes(q, <usize>op.kcache + codes, <usize>op.kcache + scales, op.dh, n, op.scale, scores);
  if (op.softcap > 0) capRow(scores, scores, n, op.softcap);
  const inv = softmax(scores, n);
  if (op.pattern) writePattern(<usize>op.pattern + ((<usize>pair * op.capacity) << 2), scores, inv, first, n, op.capacity);
  weigh(scores, <usize>op.vcache + scales, n);
  mixCodes(scores, <usize>op.vcache + codes, op.dh, n, inv, y);
}
