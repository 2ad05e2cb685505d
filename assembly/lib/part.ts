// What attention knows of one query head after some of its positions, and the scratch memory in which a unit works.
//   part: f32 m (greatest score), f32 l (Σ e^(s − m)), 8 bytes nothing, then f32 y [padded dh] = Σ e^(s − m) · v
//   scratch of a unit, heads of one group one behind the other: weights f32 [group, BLOCK], their codes of 2 bytes [group, BLOCK],
//   those of queries [group, padded dh], units f32 [group], backs f32 [group, 3], sums i32 [3, 16], then two parts a head (runtime/ops/attention/parts.ts counts the words)
import { AttentionOp } from "../abi.gen";
import { BLOCK } from "./seen";

export const WEIGHT_BYTES: usize = (<usize>BLOCK) << 2;
export const CODE_BYTES: usize = (<usize>BLOCK) << 1;
/** Where y begins in a part. */
export const PART_Y: usize = 16;

/** Floats of a head in parts, codes of a head in i8 caches. */
export function paddedHead(dh: u32): usize {
  return (<usize>dh + 15) & ~15;
}

export function partBytes(dh: u32): usize {
  return PART_Y + (paddedHead(dh) << 2);
}

/** Query heads that share a key/value head. */
export function groupOf(op: AttentionOp): usize {
  return op.heads / op.kvheads;
}

export function codesAt(op: AttentionOp, scratch: usize): usize {
  return scratch + groupOf(op) * WEIGHT_BYTES;
}

export function queryAt(op: AttentionOp, scratch: usize): usize {
  return scratch + groupOf(op) * (WEIGHT_BYTES + CODE_BYTES);
}

/** f32 a head: what a code of its query stands for, times `scale`. */
export function unitsAt(op: AttentionOp, scratch: usize): usize {
  return queryAt(op, scratch) + ((groupOf(op) * paddedHead(op.dh)) << 1);
}

/** f32 a head: what a code of its weights stands for. */
export function backsAt(op: AttentionOp, scratch: usize): usize {
  return unitsAt(op, scratch) + (groupOf(op) << 2);
}

/** i32 [3, 16]. */
export function sumsAt(op: AttentionOp, scratch: usize): usize {
  return unitsAt(op, scratch) + (groupOf(op) << 4);
}

export function partsAt(op: AttentionOp, scratch: usize): usize {
  return sumsAt(op, scratch) + 192;
}
