// Causal grouped-query attention over f32 caches [kvheads, capacity, dh]; lib/attend.ts and lib/attendrows.simd.ts say which unit owns what.
import { AttentionOp } from "../abi.gen";
import { asTheyAre, attend } from "../lib/attend";
import { attendRows, isPrefill } from "../lib/attendrows.simd";
import { Floats } from "../lib/cached.simd";
import { mixFloats, scoreFloats } from "../lib/floatdot.simd";
import { finish, fold } from "../lib/fold.simd";
import { groupOf, PART_Y, WEIGHT_BYTES } from "../lib/part";
import { BLOCK } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<AttentionOp>(p);
  if (isPrefill(op)) attendRows<Floats>(op, unit, units);
  else attend(p, unit, units, asTheyAre, block, fold, finish);
}

function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const heads = groupOf(op);
  const from = ((<usize>group * op.capacity + lo) * op.dh) << 2;
  const n = hi - lo;
  for (let g: usize = 0; g < heads; g++) {
    const weights = scratch + g * WEIGHT_BYTES + ((<usize>(lo % BLOCK)) << 2);
    const q = <usize>op.q + ((<usize>row * op.qs + (<usize>group * heads + g) * op.dh) << 2);
    scoreFloats(q, <usize>op.kcache + from, op.dh, n, op.scale, weights);
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    mixFloats(weights, <usize>op.vcache + from, op.dh, n, part + PART_Y);
    part += apart;
  }
}
