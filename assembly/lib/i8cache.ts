// Where things lie in i8 caches (runtime/ops/kvappend/op.ts): offsets in bytes. dhp: codes of a head, a multiple of 16.

/** Positions a head has room for. */
export function positionsOf(capacity: u32): usize {
  return (<usize>capacity + 15) & ~15;
}

/** Codes of a key inside its head: 16 positions side by side, four elements of each at a time, 64 bytes apart. */
export function keyAt(position: usize, dhp: usize): usize {
  return (position >> 4) * (dhp << 4) + ((position & 15) << 2);
}

/** Codes of a value inside its head: four positions side by side, one element of each at a time. */
export function valueAt(position: usize, dhp: usize): usize {
  return (position >> 2) * (dhp << 2) + (position & 3);
}

/** Scale of a position, behind the codes of all heads. */
export function scaleAt(heads: usize, positions: usize, dhp: usize, head: usize, position: usize): usize {
  return heads * positions * dhp + ((head * positions + position) << 2);
}

/** Bytes from the scale of a row to the sum of its codes. */
export function sumBehindScale(heads: usize, positions: usize): usize {
  return (heads * positions) << 2;
}
