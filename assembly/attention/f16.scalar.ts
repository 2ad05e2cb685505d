// Causal grouped-query attention over f16 caches [kvheads, capacity, dh]. A unit owns whole (row, head) pairs.
// Keys and values are used as 2^-112 times themselves, which is what their bits say as f32; queries and weights carry the rest.
import { AttentionOp } from "../abi.gen";
import { poison } from "../lib/half.scalar";
import { mixHalves, scoreHalves } from "../lib/halfdot.scalar";
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
  const stride = (<usize>op.dh) << 1;
  const seen = (<usize>(head / (op.heads / op.kvheads)) * op.capacity + first) * stride;
  const keys = <usize>op.kcache + seen;
  const values = <usize>op.vcache + seen;
  const q = <usize>op.q + ((<usize>row * op.qs + <usize>head * op.dh) << 2);
  const y = <usize>op.y + ((<usize>row * op.ys + <usize>head * op.dh) << 2);

  scoreHalves(q, keys, op.dh, n, op.scale, scores, y);
  poison(scores, keys, stride, n);
  if (op.softcap > 0) capRow(scores, scores, n, op.softcap);
  const inv = softmax(scores, n);
  if (op.pattern) writePattern(<usize>op.pattern + ((<usize>pair * op.capacity) << 2), scores, inv, first, n, op.capacity);
  poison(scores, values, stride, n);
  mixHalves(scores, values, op.dh, n, inv, y);
}
