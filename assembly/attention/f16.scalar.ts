// Causal grouped-query attention over f16 caches [kvheads, capacity, dh]; lib/attend.ts says which unit owns what.
// Keys and values are used as 2^-112 times themselves, which is what their bits say as f32; queries and weights carry the rest.
import { AttentionOp } from "../abi.gen";
import { asTheyAre, attend } from "../lib/attend";
import { finish, fold } from "../lib/fold.scalar";
import { poison } from "../lib/half.scalar";
import { mixHalves, scoreHalves } from "../lib/halfdot.scalar";
import { groupOf, PART_Y, WEIGHT_BYTES } from "../lib/part";
import { BLOCK } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  attend(p, unit, units, asTheyAre, block, fold, finish);
}

function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const heads = groupOf(op);
  const stride = (<usize>op.dh) << 1;
  const keys = <usize>op.kcache + (<usize>group * op.capacity + lo) * stride;
  const values = <usize>op.vcache + (<usize>group * op.capacity + lo) * stride;
  const n = hi - lo;
  for (let g: usize = 0; g < heads; g++) {
    const weights = scratch + g * WEIGHT_BYTES + ((<usize>(lo % BLOCK)) << 2);
    const q = <usize>op.q + ((<usize>row * op.qs + (<usize>group * heads + g) * op.dh) << 2);
    scoreHalves(q, keys, op.dh, n, op.scale, weights, part + PART_Y);
    poison(weights, keys, stride, n);
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    poison(weights, values, stride, n);
    mixHalves(weights, values, op.dh, n, part + PART_Y);
    part += apart;
  }
}
