// Causal grouped-query attention over f32 caches [kvheads, capacity, dh]. A unit owns whole (row, head) pairs.
import { AttentionOp } from "../abi.gen";
import { mixFloats, scoreFloats } from "../lib/floatdot.scalar";
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
  const stride = (<usize>op.dh) << 2;
  const seen = (<usize>(head / (op.heads / op.kvheads)) * op.capacity + first) * stride;
  const keys = <usize>op.kcache + seen;
  const values = <usize>op.vcache + seen;
  const q = <usize>op.q + ((<usize>row * op.qs + <usize>head * op.dh) << 2);
  const y = <usize>op.y + ((<usize>row * op.ys + <usize>head * op.dh) << 2);

  scoreFloats(q, keys, op.dh, n, op.scale, scores);
  if (op.softcap > 0) capRow(scores, scores, n, op.softcap);
  const inv = softmax(scores, n);
  if (op.pattern) writePattern(<usize>op.pattern + ((<usize>pair * op.capacity) << 2), scores, inv, first, n, op.capacity);
  mixFloats(scores, values, op.dh, n, inv, y);
}
