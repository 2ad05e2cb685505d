// Attention of several rows at a time over caches of floats: a tile of positions is widened to f32 once for all query heads of these rows.
// Every score and every sum is made of the same operations in the same order as in one row's attention (attend.ts), so the bits are the same.
//   queries: heads of a row one behind the other, row after row
//   scratch of a unit: weights f32 [queries, BLOCK], queries f32 [queries, padded dh], tile f32 [TILE, padded dh], then two parts a query
import { AttentionOp } from "../abi.gen";
import { finish, fold } from "./fold.simd";
import { groupOf, PART_Y, paddedHead, partBytes, WEIGHT_BYTES } from "./part";
import { mixOne, mixTwo, scoreTwo, timesRow } from "./querytile.simd";
import { BLOCK, firstSeen } from "./seen";
import { capRow, softmax } from "./softmax.simd";
import { start } from "./split";

/** Query heads of a unit's rows: enough that widening a tile costs little beside using it (runtime/ops/attention/parts.ts). */
const QUERIES: usize = 24;
/** Positions widened at once, from a multiple of them on. */
const TILE: u32 = 16;

/** How a format keeps rows; a class without fields, changetype<C>(0) calls its methods. */
export interface Cached {
  /** Bytes of an element. */
  size(): usize;
  /** n rows of dh elements → f32 [n, dhp], zeros behind dh. */
  widen(rows: usize, n: u32, dh: u32, dhp: usize, to: usize): void;
  /** Powers of two that queries and scores are multiplied with, so that products are those of one row's attention. */
  queryTimes(): f32;
  scoreTimes(): f32;
  /** Makes weights of rows that are NaN NaN; `stride` bytes a row. */
  poison(weights: usize, rows: usize, stride: usize, n: u32): void;
  /** Is one of n rows NaN? */
  poisoned(rows: usize, stride: usize, n: u32): bool;
}

/** Rows of a tile. */
function rowsOf(op: AttentionOp): u32 {
  return <u32>max<usize>(1, QUERIES / groupOf(op));
}

/** Is there more than one row, and nothing asked for but y? */
export function isPrefill(op: AttentionOp): bool {
  return load<u32>(op.rows) > 1 && !op.parts && !op.pattern;
}

/** Units own tiles of rows of one key/value head. */
export function attendRows<C extends Cached>(op: AttentionOp, unit: u32, units: u32): void {
  const scratch = <usize>op.scores + ((<usize>unit * op.ss) << 2);
  const rows = load<u32>(op.rows);
  const most = rowsOf(op);
  const all = ((rows + most - 1) / most) * op.kvheads;
  const end = start(unit + 1, units, all);
  for (let i = start(unit, units, all); i < end; i++) {
    const row = (i / op.kvheads) * most;
    attendTile<C>(op, row, min<u32>(most, rows - row), i % op.kvheads, scratch);
  }
}

function queriesAt(op: AttentionOp, scratch: usize): usize {
  return scratch + <usize>rowsOf(op) * groupOf(op) * WEIGHT_BYTES;
}

function tileAt(op: AttentionOp, scratch: usize): usize {
  return queriesAt(op, scratch) + ((<usize>rowsOf(op) * groupOf(op) * paddedHead(op.dh)) << 2);
}

function partsAt(op: AttentionOp, scratch: usize): usize {
  return tileAt(op, scratch) + ((TILE * paddedHead(op.dh)) << 2);
}

/** First of the positions of block b that row `row` sees, and the first behind them: none if they meet. */
function from(op: AttentionOp, row: u32, b: u32): u32 {
  return max<u32>(firstSeen(load<u32>(op.pos) + row, op.window), b * BLOCK);
}
function upTo(op: AttentionOp, row: u32, b: u32): u32 {
  return min<u32>(load<u32>(op.pos) + row + 1, (b + 1) * BLOCK);
}

function attendTile<C extends Cached>(op: AttentionOp, row: u32, rows: u32, group: u32, scratch: usize): void {
  const heads = groupOf(op);
  const pos = load<u32>(op.pos) + row;
  const apart = partBytes(op.dh);
  const whole = partsAt(op, scratch);
  const next = whole + <usize>rows * heads * apart;
  loadQueries<C>(op, row, rows, group, queriesAt(op, scratch));
  const end = (pos + rows - 1) / BLOCK;
  for (let b = firstSeen(pos, op.window) / BLOCK; b <= end; b++) {
    score<C>(op, row, rows, group, b, scratch);
    for (let r: u32 = 0; r < rows; r++) weigh(op, row + r, b, scratch + <usize>r * heads * WEIGHT_BYTES, partOf(op, row + r, b, whole, next) + <usize>r * heads * apart);
    mix<C>(op, row, rows, group, b, scratch, whole, next);
    for (let r: u32 = 0; r < rows; r++) {
      if (from(op, row + r, b) >= upTo(op, row + r, b) || partOf(op, row + r, b, whole, next) == whole) continue;
      for (let g = <usize>r * heads; g < <usize>(r + 1) * heads; g++) fold(whole + g * apart, next + g * apart, op.dh);
    }
  }
  for (let r: usize = 0; r < rows; r++) {
    for (let g: usize = 0; g < heads; g++) {
      finish(whole + (r * heads + g) * apart, <usize>op.y + (((row + r) * op.ys + (group * heads + g) * op.dh) << 2), op.dh);
    }
  }
}

/** Where parts of a block go: the first block of a row begins what the others are folded into. */
function partOf(op: AttentionOp, row: u32, b: u32, whole: usize, next: usize): usize {
  return firstSeen(load<u32>(op.pos) + row, op.window) >= b * BLOCK ? whole : next;
}

function loadQueries<C extends Cached>(op: AttentionOp, row: u32, rows: u32, group: u32, to: usize): void {
  const heads = groupOf(op);
  const bytes = paddedHead(op.dh) << 2;
  for (let r: usize = row; r < row + rows; r++) {
    for (let g: usize = 0; g < heads; g++) {
      memory.copy(to, <usize>op.q + ((r * op.qs + (group * heads + g) * op.dh) << 2), (<usize>op.dh) << 2);
      memory.fill(to + ((<usize>op.dh) << 2), 0, bytes - ((<usize>op.dh) << 2));
      timesRow(to, bytes >> 2, changetype<C>(0).queryTimes());
      to += bytes;
    }
  }
}

/** Scores of all queries for the positions of block b that any row sees. */
function score<C extends Cached>(op: AttentionOp, row: u32, rows: u32, group: u32, b: u32, scratch: usize): void {
  const c = changetype<C>(0);
  const dhp = paddedHead(op.dh);
  const stride = <usize>op.dh * c.size();
  const times = op.scale * c.scoreTimes();
  const queries = <usize>rows * groupOf(op);
  const tile = tileAt(op, scratch);
  const hi = upTo(op, row + rows - 1, b);
  for (let lo = from(op, row, b) & ~(TILE - 1); lo < hi; lo += TILE) {
    const n = min<u32>(TILE, hi - lo);
    const keys = <usize>op.kcache + (<usize>group * op.capacity + lo) * stride;
    const to = scratch + ((<usize>(lo % BLOCK)) << 2);
    c.widen(keys, n, op.dh, dhp, tile);
    let q = queriesAt(op, scratch);
    for (let i: usize = 0; i < queries; i += 2) {
      const other = min<usize>(i + 1, queries - 1) - i;
      scoreTwo(q, q + other * (dhp << 2), tile, dhp, n, times, to + i * WEIGHT_BYTES, to + (i + other) * WEIGHT_BYTES);
      q += dhp << 3;
    }
    if (c.poisoned(keys, stride, n)) for (let i: usize = 0; i < queries; i++) c.poison(to + i * WEIGHT_BYTES, keys, stride, n);
  }
}

/** Scores of the heads of one row to weights. */
function weigh(op: AttentionOp, row: u32, b: u32, weights: usize, part: usize): void {
  const lo = from(op, row, b);
  const hi = upTo(op, row, b);
  if (lo >= hi) return;
  const n = hi - lo;
  const heads = groupOf(op);
  weights += (<usize>(lo % BLOCK)) << 2;
  for (let g: usize = 0; g < heads; g++) {
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    memory.fill(part + PART_Y, 0, paddedHead(op.dh) << 2);
    weights += WEIGHT_BYTES;
    part += partBytes(op.dh);
  }
}

/** Adds the weighted values of block b, a tile of positions after the other. */
function mix<C extends Cached>(op: AttentionOp, row: u32, rows: u32, group: u32, b: u32, scratch: usize, whole: usize, next: usize): void {
  const c = changetype<C>(0);
  const stride = <usize>op.dh * c.size();
  const tile = tileAt(op, scratch);
  const all = from(op, row + rows - 1, b);
  const none = upTo(op, row, b);
  const hi = upTo(op, row + rows - 1, b);
  for (let lo = from(op, row, b) & ~(TILE - 1); lo < hi; lo += TILE) {
    const n = min<u32>(TILE, hi - lo);
    const values = <usize>op.vcache + (<usize>group * op.capacity + lo) * stride;
    c.widen(values, n, op.dh, paddedHead(op.dh), tile);
    const bad = c.poisoned(values, stride, n);
    if (!bad && lo >= all && lo + n <= none && partOf(op, row, b, whole, next) == partOf(op, row + rows - 1, b, whole, next)) {
      mixAll(op, <usize>rows * groupOf(op), tile, n, scratch + ((<usize>(lo % BLOCK)) << 2), partOf(op, row, b, whole, next));
      continue;
    }
    for (let r: u32 = 0; r < rows; r++) {
      const first = max<u32>(lo, from(op, row + r, b));
      const end = min<u32>(lo + n, upTo(op, row + r, b));
      if (first >= end) continue;
      const at = <usize>r * groupOf(op);
      const weights = scratch + at * WEIGHT_BYTES + ((<usize>(first % BLOCK)) << 2);
      const part = partOf(op, row + r, b, whole, next) + at * partBytes(op.dh);
      for (let g: usize = 0; g < groupOf(op); g++) {
        if (bad) c.poison(weights + g * WEIGHT_BYTES, values + <usize>(first - lo) * stride, stride, end - first);
        mixOne(weights + g * WEIGHT_BYTES, tile + ((<usize>(first - lo) * paddedHead(op.dh)) << 2), paddedHead(op.dh), end - first, part + g * partBytes(op.dh) + PART_Y);
      }
    }
  }
}

/** A tile that all queries see whole. */
function mixAll(op: AttentionOp, queries: usize, tile: usize, n: u32, weights: usize, part: usize): void {
  const apart = partBytes(op.dh);
  for (let i: usize = 0; i < queries; i += 2) {
    const other = min<usize>(i + 1, queries - 1) - i;
    mixTwo(weights + i * WEIGHT_BYTES, weights + (i + other) * WEIGHT_BYTES, tile, paddedHead(op.dh), n, part + i * apart + PART_Y, part + (i + other) * apart + PART_Y);
  }
}
