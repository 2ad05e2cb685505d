// Attention as all cache formats share it: which unit looks at which blocks of positions, and how blocks are put together.
// A block gives a part (part.ts); parts are folded in order of position, at once here or later by `attentionmerge`: the bits are the same.
import { AttentionOp } from "../abi.gen";
import { exp } from "./math.scalar";
import { groupOf, partBytes, partsAt, WEIGHT_BYTES } from "./part";
import { BLOCK, blocksSeen, firstSeen, scalePattern } from "./seen";
import { start } from "./split";

/** Readies the queries of the heads of key/value head `group` of a row for its blocks. */
type Prepare = (op: AttentionOp, row: u32, group: u32, scratch: usize) => void;
/** Makes the parts of the heads of key/value head `group`, `apart` bytes from one another, for row `row` over positions lo … hi − 1 of one block. */
type Block = (op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize) => void;
/** Folds the part of later positions into that of earlier ones. */
type Fold = (earlier: usize, later: usize, dh: u32) => void;
/** y = what a part says, y f32 [dh]. */
type Finish = (part: usize, y: usize, dh: u32) => void;

/** For blocks that take queries as they are. */
export function asTheyAre(_op: AttentionOp, _row: u32, _group: u32, _scratch: usize): void {}

export function attend(p: usize, unit: u32, units: u32, prepare: Prepare, block: Block, fold: Fold, finish: Finish): void {
  const op = changetype<AttentionOp>(p);
  const scratch = <usize>op.scores + ((<usize>unit * op.ss) << 2);
  const rows = load<u32>(op.rows);
  if (op.parts) {
    attendApart(op, unit, units, rows, scratch, prepare, block);
    return;
  }
  const groups = rows * op.kvheads;
  const end = start(unit + 1, units, groups);
  for (let i = start(unit, units, groups); i < end; i++) {
    prepare(op, i / op.kvheads, i % op.kvheads, scratch);
    attendWhole(op, i / op.kvheads, i % op.kvheads, scratch, block, fold, finish);
  }
}

/** Units own blocks: the parts go to parts [rows, heads, blocks of the capacity]. */
function attendApart(op: AttentionOp, unit: u32, units: u32, rows: u32, scratch: usize, prepare: Prepare, block: Block): void {
  if (rows == 0) return;
  const pos = load<u32>(op.pos);
  const apart = <usize>blocksSeen(0, op.capacity - 1) * partBytes(op.dh);
  // No row has more blocks than its last position has before it.
  const most = blocksSeen(firstSeen(pos, op.window), pos + rows - 1);
  const all = rows * op.kvheads * most;
  const begin = start(unit, units, all);
  const end = start(unit + 1, units, all);
  for (let i = begin; i < end; i++) {
    const row = i / (op.kvheads * most);
    const group = (i / most) % op.kvheads;
    if (i == begin || i % most == 0) prepare(op, row, group, scratch);
    const last = pos + row;
    const first = firstSeen(last, op.window);
    const b = first / BLOCK + (i % most);
    const head = <usize>row * op.heads + <usize>group * groupOf(op);
    const part = <usize>op.parts + head * apart + <usize>(i % most) * partBytes(op.dh);
    if (b <= last / BLOCK) block(op, row, group, max<u32>(first, b * BLOCK), min<u32>(last + 1, (b + 1) * BLOCK), scratch, part, apart);
  }
}

/** All blocks of one row and group, folded as they come, into y. */
function attendWhole(op: AttentionOp, row: u32, group: u32, scratch: usize, block: Block, fold: Fold, finish: Finish): void {
  const last = load<u32>(op.pos) + row;
  const first = firstSeen(last, op.window);
  const heads = groupOf(op);
  const apart = partBytes(op.dh);
  const whole = partsAt(op, scratch);
  const next = whole + heads * apart;
  const head = <usize>row * op.heads + <usize>group * heads;
  const pattern = <usize>op.pattern + ((head * op.capacity) << 2);
  if (op.pattern) memory.fill(pattern, 0, (heads * op.capacity) << 2);
  for (let lo = first; lo <= last; lo = (lo / BLOCK + 1) * BLOCK) {
    const hi = min<u32>(last + 1, (lo / BLOCK + 1) * BLOCK);
    const part = lo == first ? whole : next;
    block(op, row, group, lo, hi, scratch, part, apart);
    for (let g: usize = 0; g < heads; g++) {
      if (op.pattern) extendPattern(pattern + ((g * op.capacity) << 2), scratch + g * WEIGHT_BYTES, first, lo, hi, whole + g * apart, part + g * apart);
      if (part != whole) fold(whole + g * apart, part + g * apart, op.dh);
    }
  }
  for (let g: usize = 0; g < heads; g++) {
    const part = whole + g * apart;
    if (op.pattern) scalePattern(pattern + ((g * op.capacity) << 2), first, last + 1, 1 / load<f32>(part, 4));
    finish(part, <usize>op.y + ((<usize>row * op.ys + (<usize>group * heads + g) * op.dh) << 2), op.dh);
  }
}

/** Puts the weights of block [lo, hi) behind those of [first, lo), both relative to the greatest score so far. */
function extendPattern(pattern: usize, weights: usize, first: u32, lo: u32, hi: u32, whole: usize, part: usize): void {
  memory.copy(pattern + ((<usize>lo) << 2), weights + ((<usize>(lo % BLOCK)) << 2), (<usize>(hi - lo)) << 2);
  if (part == whole) return;
  const most = max<f32>(load<f32>(whole), load<f32>(part));
  scalePattern(pattern, first, lo, exp(load<f32>(whole) - most));
  scalePattern(pattern, lo, hi, exp(load<f32>(part) - most));
}
