// y = x W · channels (+ bias), W q4n: activations times whole rows of W, added up in i16 over 32 rows at a time and then in i32 in y's own place.
// Codes are stored plus 8, so sums start from −8 · Σx and may wrap on the way: true ones of 32 rows fit, 32 · 8 · 127 = 32512 < 2^15.
import { RowsumOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT } from "./i8row";
import { Pairs } from "./pairs.simd";
import { entriesOf, rowAt, touch } from "./q4n";
import { start } from "./split";

const BATCH: u32 = 32;

/** A unit owns runs of 32 channels (16 bytes of each row), for all tokens. */
export function sumRows<P extends Pairs>(p: usize, unit: u32, units: u32): void {
  const op = changetype<RowsumOp>(p);
  const tokens = load<u32>(op.rows);
  const runs = (op.k + 31) >> 5;
  const first = start(unit, units, runs);
  const end = start(unit + 1, units, runs);
  if (first == end) return;
  const channels = (<usize>first) << 5;
  const left = min((<usize>end) << 5, <usize>op.k) - channels;
  const picks = entriesOf(op.picks);
  const many = picks ? load<u32>(op.picks) : op.n;
  for (let t: u32 = 0; t < tokens; t++) {
    const x = <usize>op.x + <usize>t * op.xs;
    const y = <usize>op.y + ((<usize>t * op.ys + channels) << 2);
    memory.fill(y, 0, left << 2);
    if (picks) touchBatch(op, picks, 0, min(BATCH, many), first, end);
    for (let j: u32 = 0; j < many; j += BATCH) {
      if (picks) touchBatch(op, picks, j + BATCH, min(j + 2 * BATCH, many), first, end);
      batch<P>(op, picks, j, min(BATCH, many - j), x + CODES_AT + j, first, end, y, left);
    }
    finish(op, x, channels, y, left);
  }
}

function pickAt(op: RowsumOp, picks: usize, j: u32): usize {
  return picks ? <usize>op.w + load<u32>(picks + ((<usize>j) << 2)) : rowAt(op.w, j, op.k);
}

/** Brings the unit's part of rows [from, to) near. */
function touchBatch(op: RowsumOp, picks: usize, from: u32, to: u32, first: u32, end: u32): void {
  for (let j = from; j < to; j++) load<u8>(pickAt(op, picks, j));
  for (let j = from; j < to; j++) touch(pickAt(op, picks, j) + ((<usize>first) << 4), (<usize>(end - first)) << 4);
}

/** Σ of the codes of `many` ≤ 32 rows. */
function sumOf(x: usize, many: u32): i32 {
  let s = 0;
  for (let i: usize = 0; i < many; i++) s += load<i8>(x + i);
  return s;
}

function batch<P extends Pairs>(op: RowsumOp, picks: usize, j: u32, many: u32, x: usize, first: u32, end: u32, y: usize, left: usize): void {
  const zero = i16x8.splat(<i16>(-8 * sumOf(x, many)));
  // where all rows are summed, a line for each pair of rows and 64 channels: as many as the next batch has
  const line: usize = !picks && j + 2 * BATCH <= op.n ? 64 : 0;
  let ahead = line ? rowAt(op.w, j + BATCH, op.k) + ((<usize>first) << 4) : <usize>op.w;
  let run = first;
  for (; run + 2 <= end; run += 2) {
    two<P>(op, picks, j, many, x, (<usize>run) << 4, zero, y, left, ahead, line);
    ahead += line * (BATCH >> 1);
    y += 256;
    left -= min<usize>(left, 64);
  }
  if (run < end) one<P>(op, picks, j, many, x, (<usize>run) << 4, zero, y, left);
}

/** 64 channels, whose codes are at byte `at` of the rows; a byte each `line` from `ahead` on is looked at, one for each pair of rows. */
function two<P extends Pairs>(op: RowsumOp, picks: usize, j: u32, many: u32, x: usize, at: usize, zero: v128, y: usize, left: usize, ahead: usize, line: usize): void {
  const d = changetype<P>(0);
  const low = v128.load(NIBBLE);
  let a0 = zero;
  let a1 = zero;
  let a2 = zero;
  let a3 = zero;
  let b0 = zero;
  let b1 = zero;
  let b2 = zero;
  let b3 = zero;
  for (let i: u32 = 0; i < many; i += 2) {
    load<u8>(ahead);
    ahead += line;
    const p = pickAt(op, picks, j + i) + at;
    const q = pickAt(op, picks, j + min(i + 1, many - 1)) + at;
    const even = d.even(x + i);
    const odd = d.odd(x + i);
    let v = v128.load(p);
    let u = v128.load(q);
    let c = v128.shuffle<u8>(v, u, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let e = v128.shuffle<u8>(v, u, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    a0 = d.plus(a0, even, odd, v128.and(c, low));
    a1 = d.plus(a1, even, odd, v128.and(e, low));
    a2 = d.plus(a2, even, odd, v128.and(i16x8.shr_u(c, 4), low));
    a3 = d.plus(a3, even, odd, v128.and(i16x8.shr_u(e, 4), low));
    v = v128.load(p, 16);
    u = v128.load(q, 16);
    c = v128.shuffle<u8>(v, u, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    e = v128.shuffle<u8>(v, u, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    b0 = d.plus(b0, even, odd, v128.and(c, low));
    b1 = d.plus(b1, even, odd, v128.and(e, low));
    b2 = d.plus(b2, even, odd, v128.and(i16x8.shr_u(c, 4), low));
    b3 = d.plus(b3, even, odd, v128.and(i16x8.shr_u(e, 4), low));
  }
  add32(y, left, a0, a1, a2, a3);
  if (left > 32) add32(y + 128, left - 32, b0, b1, b2, b3);
}

/** 32 channels. */
function one<P extends Pairs>(op: RowsumOp, picks: usize, j: u32, many: u32, x: usize, at: usize, zero: v128, y: usize, left: usize): void {
  const d = changetype<P>(0);
  const low = v128.load(NIBBLE);
  let a0 = zero;
  let a1 = zero;
  let a2 = zero;
  let a3 = zero;
  for (let i: u32 = 0; i < many; i += 2) {
    const v = v128.load(pickAt(op, picks, j + i) + at);
    const u = v128.load(pickAt(op, picks, j + min(i + 1, many - 1)) + at);
    const even = d.even(x + i);
    const odd = d.odd(x + i);
    const c = v128.shuffle<u8>(v, u, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const e = v128.shuffle<u8>(v, u, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    a0 = d.plus(a0, even, odd, v128.and(c, low));
    a1 = d.plus(a1, even, odd, v128.and(e, low));
    a2 = d.plus(a2, even, odd, v128.and(i16x8.shr_u(c, 4), low));
    a3 = d.plus(a3, even, odd, v128.and(i16x8.shr_u(e, 4), low));
  }
  add32(y, left, a0, a1, a2, a3);
}

/** 32 sums of i16 to those of i32 at y, as far as there are `left` channels. */
function add32(y: usize, left: usize, a0: v128, a1: v128, a2: v128, a3: v128): void {
  add8(y, left, a0);
  if (left > 8) add8(y + 32, left - 8, a1);
  if (left > 16) add8(y + 64, left - 16, a2);
  if (left > 24) add8(y + 96, left - 24, a3);
}

function add8(y: usize, left: usize, a: v128): void {
  const low = i32x4.extend_low_i16x8_s(a);
  const high = i32x4.extend_high_i16x8_s(a);
  if (left >= 8) {
    v128.store(y, i32x4.add(v128.load(y), low));
    v128.store(y, i32x4.add(v128.load(y, 16), high), 16);
    return;
  }
  if (left < 4) {
    addSome(y, left, low);
    return;
  }
  v128.store(y, i32x4.add(v128.load(y), low));
  addSome(y + 16, left - 4, high);
}

function addSome(y: usize, left: usize, a: v128): void {
  if (left > 0) store<i32>(y, load<i32>(y) + i32x4.extract_lane(a, 0));
  if (left > 1) store<i32>(y, load<i32>(y, 4) + i32x4.extract_lane(a, 1), 4);
  if (left > 2) store<i32>(y, load<i32>(y, 8) + i32x4.extract_lane(a, 2), 8);
}

/** i32 sums at y → floats: · channels · scale of x (+ bias). */
function finish(op: RowsumOp, x: usize, channels: usize, y: usize, left: usize): void {
  const times = v128.load32_splat(x);
  let c = <usize>op.channels + (channels << 2);
  let b = op.bias ? <usize>op.bias + (channels << 2) : 0;
  const end = y + (left << 2);
  for (; y + 16 <= end; y += 16) {
    let f = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(v128.load(y)), v128.load(c)), times);
    if (b) {
      f = f32x4.add(f, v128.load(b));
      b += 16;
    }
    v128.store(y, f);
    c += 16;
  }
  for (; y < end; y += 4) {
    const f = <f32>load<i32>(y) * load<f32>(c) * load<f32>(x);
    store<f32>(y, b ? f + load<f32>(b) : f);
    if (b) b += 4;
    c += 4;
  }
}
