// Causal grouped-query attention over i8 caches (runtime/ops/kvappend/op.ts has the layout); lib/attend.ts says which unit owns what.
// The heads of a group go through a block of positions by threes and twos, while it is in the nearest cache.
import { AttentionOp } from "../abi.gen";
import { attend } from "../lib/attend";
import { encodeQuery, encodeWeights, mixOne, mixThree, mixTwo, scoreOne, scoreThree, scoreTwo } from "../lib/codedot.simd";
import { finish, fold } from "../lib/fold.simd";
import { keyAt, positionsOf, scaleAt, valueAt } from "../lib/i8cache";
import { CODE_BYTES, codesAt, groupOf, PART_Y, paddedHead, queryAt, unitsAt, WEIGHT_BYTES } from "../lib/part";
import { BLOCK } from "../lib/seen";
import { capRow, softmax } from "../lib/softmax.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  attend(p, unit, units, block, fold, finish);
}

function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const dhp = paddedHead(op.dh);
  const positions = positionsOf(op.capacity);
  const head = <usize>group * positions * dhp;
  const q = <usize>op.q + ((<usize>row * op.qs + <usize>group * groupOf(op) * op.dh) << 2);
  const kscales = <usize>op.kcache + scaleAt(op.kvheads, positions, dhp, group, lo & ~15);
  // Values of a position lie where its keys do.
  score(op, q, <usize>op.kcache + head + keyAt(lo & ~15, dhp), kscales, lo, hi, scratch, op.vcache - op.kcache);
  weigh(op, <usize>op.vcache + scaleAt(op.kvheads, positions, dhp, group, lo), lo, hi, scratch, part, apart);
  mix(op, <usize>op.vcache + head + valueAt(lo & ~1, dhp), lo, hi, scratch, part + PART_Y, apart);
}

/** Are three heads next, of so many that are left? */
function isThree(left: usize): bool {
  return (left & 1) != 0 && left > 1;
}

/** Scores of all heads for whole tiles of 16 positions; those outside [lo, hi) mean nothing. */
function score(op: AttentionOp, q: usize, keys: usize, scales: usize, lo: u32, hi: u32, scratch: usize, ahead: usize): void {
  const heads = groupOf(op);
  const dhp = paddedHead(op.dh);
  const query = queryAt(op, scratch);
  const units = unitsAt(op, scratch);
  const tiles = (hi + 15) / 16 - lo / 16;
  const to = scratch + ((<usize>((lo & ~15) % BLOCK)) << 2);
  for (let g: usize = 0; g < heads; g++) store<f32>(units + (g << 2), encodeQuery(q + ((g * op.dh) << 2), op.dh, dhp, query + ((g * dhp) << 1)) * op.scale);
  let g: usize = 0;
  for (; isThree(heads - g); g += 3) {
    const u = units + (g << 2);
    store<u32>(codesAt(op, scratch), scoreThree(query + ((g * dhp) << 1), keys, scales, dhp, tiles, u, to + g * WEIGHT_BYTES, ahead));
  }
  for (; g + 2 <= heads; g += 2) {
    const u = units + (g << 2);
    scoreTwo(query + ((g * dhp) << 1), keys, scales, dhp, tiles, load<f32>(u), load<f32>(u, 4), to + g * WEIGHT_BYTES);
  }
  if (g < heads) scoreOne(query + ((g * dhp) << 1), keys, scales, dhp, tiles, load<f32>(units + (g << 2)), to + g * WEIGHT_BYTES);
}

/** Scores to weights, and these with the scales of the values to codes; what a code stands for goes where the queries' units were. */
function weigh(op: AttentionOp, scales: usize, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const heads = groupOf(op);
  const units = unitsAt(op, scratch);
  const n = hi - lo;
  const odd = <usize>(lo & 1);
  let codes = codesAt(op, scratch);
  let weights = scratch + ((<usize>(lo % BLOCK)) << 2);
  for (let g: usize = 0; g < heads; g++) {
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    // Pairs of positions are whole: one outside [lo, hi) weighs nothing.
    store<u32>(codes, 0);
    store<f32>(units + (g << 2), encodeWeights(weights, scales, n, codes + (odd << 1)));
    if ((odd + n) & 1) store<i16>(codes + ((odd + n) << 1), 0);
    codes += CODE_BYTES;
    weights += WEIGHT_BYTES;
    part += apart;
  }
}

function mix(op: AttentionOp, values: usize, lo: u32, hi: u32, scratch: usize, y: usize, apart: usize): void {
  const heads = groupOf(op);
  const dhp = paddedHead(op.dh);
  const units = unitsAt(op, scratch);
  const codes = codesAt(op, scratch);
  const pairs = (hi + 1) / 2 - lo / 2;
  let g: usize = 0;
  for (; isThree(heads - g); g += 3) mixThree(codes + g * CODE_BYTES, values, dhp, pairs, units + (g << 2), y + g * apart, apart);
  for (; g + 2 <= heads; g += 2) {
    const u = units + (g << 2);
    mixTwo(codes + g * CODE_BYTES, values, dhp, pairs, load<f32>(u), load<f32>(u, 4), y + g * apart, apart);
  }
  if (g < heads) mixOne(codes + g * CODE_BYTES, values, dhp, pairs, load<f32>(units + (g << 2)), y + g * apart);
}
