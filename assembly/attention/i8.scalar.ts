// Causal grouped-query attention over i8 caches (runtime/ops/kvappend/op.ts has the layout); lib/attend.ts says which unit owns what.
import { AttentionOp } from "../abi.gen";
import { asTheyAre, attend } from "../lib/attend";
import { encodeQuery, encodeWeights, mixCodes, scoreCodes } from "../lib/codedot.scalar";
import { finish, fold } from "../lib/fold.scalar";
import { keyAt, positionsOf, scaleAt, sumBehindScale, valueAt } from "../lib/i8cache";
import { codesAt, groupOf, PART_Y, paddedHead, queryAt, WEIGHT_BYTES } from "../lib/part";
import { BLOCK } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  attend(p, unit, units, asTheyAre, block, fold, finish);
}

function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const heads = groupOf(op);
  const dhp = paddedHead(op.dh);
  const positions = positionsOf(op.capacity);
  const head = <usize>group * positions * dhp;
  const keys = <usize>op.kcache + head + keyAt(lo & ~15, dhp);
  const values = <usize>op.vcache + head + valueAt(lo & ~3, dhp);
  const scales = scaleAt(op.kvheads, positions, dhp, group, lo);
  const query = queryAt(op, scratch);
  const codes = codesAt(op, scratch);
  const n = hi - lo;
  // Fours of positions are whole: those outside [lo, hi) weigh nothing.
  const before = <usize>(lo & 3);
  const quads = (before + n + 3) >> 2;
  for (let g: usize = 0; g < heads; g++) {
    const weights = scratch + g * WEIGHT_BYTES + ((<usize>(lo % BLOCK)) << 2);
    const unit = encodeQuery(<usize>op.q + ((<usize>row * op.qs + (<usize>group * heads + g) * op.dh) << 2), op.dh, dhp, query);
    scoreCodes(query, keys, lo & 15, <usize>op.kcache + scales, sumBehindScale(op.kvheads, positions), dhp, n, unit * op.scale, weights);
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    memory.fill(codes, 0, quads << 3);
    const back = encodeWeights(weights, <usize>op.vcache + scales, n, codes + (before << 1));
    mixCodes(codes, values, op.dh, dhp, quads, back, part + PART_Y);
    part += apart;
  }
}
