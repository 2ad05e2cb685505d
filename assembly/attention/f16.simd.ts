// Causal grouped-query attention over f16 caches [kvheads, capacity, dh]; lib/attend.ts and lib/attendrows.simd.ts say which unit owns what.
// Keys and values are used as 2^-112 times themselves, which is what their bits say as f32; queries and weights carry the rest.
import { AttentionOp } from "../abi.gen";
import { asTheyAre, attend } from "../lib/attend";
import { attendRows, isPrefill } from "../lib/attendrows.simd";
import { Halves } from "../lib/cached.simd";
import { finish, fold } from "../lib/fold.simd";
import { poison, poisoned } from "../lib/half.scalar";
import { mixHalves, scoreHalves } from "../lib/halfdot.simd";
import { mixThree, scoreThree } from "../lib/halfdot3.simd";
import { groupOf, PART_Y, WEIGHT_BYTES } from "../lib/part";
import { BLOCK } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<AttentionOp>(p);
  if (isPrefill(op)) attendRows<Halves>(op, unit, units);
  else attend(p, unit, units, asTheyAre, block, fold, finish);
}

/** Heads go in threes while there are three, since widening is most of the work. */
function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const heads = groupOf(op);
  const threes: usize = op.dh & 7 ? 0 : heads - (heads % 3);
  const stride = (<usize>op.dh) << 1;
  const keys = <usize>op.kcache + (<usize>group * op.capacity + lo) * stride;
  const values = <usize>op.vcache + (<usize>group * op.capacity + lo) * stride;
  const weights = scratch + ((<usize>(lo % BLOCK)) << 2);
  const q = <usize>op.q + ((<usize>row * op.qs + <usize>group * heads * op.dh) << 2);
  const n = hi - lo;
  for (let g: usize = 0; g < threes; g += 3)
    scoreThree(q + g * (stride << 1), keys, op.dh, n, op.scale, weights + g * WEIGHT_BYTES, WEIGHT_BYTES, part + g * apart + PART_Y, apart);
  for (let g = threes; g < heads; g++) scoreHalves(q + g * (stride << 1), keys, op.dh, n, op.scale, weights + g * WEIGHT_BYTES, part + g * apart + PART_Y);
  const lost = poisoned(keys, stride, n);
  const bad = poisoned(values, stride, n);
  for (let g: usize = 0; g < heads; g++) {
    const at = weights + g * WEIGHT_BYTES;
    if (lost) poison(at, keys, stride, n);
    if (op.softcap > 0) capRow(at, at, n, op.softcap);
    softmax(at, n, part + g * apart);
    if (bad) poison(at, values, stride, n);
  }
  for (let g: usize = 0; g < threes; g += 3) mixThree(weights + g * WEIGHT_BYTES, WEIGHT_BYTES, values, op.dh, n, part + g * apart + PART_Y, apart);
  for (let g = threes; g < heads; g++) mixHalves(weights + g * WEIGHT_BYTES, values, op.dh, n, part + g * apart + PART_Y);
}
