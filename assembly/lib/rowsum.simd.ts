// y = x W · channels (+ bias), W q4n: activations times whole rows of W, added up in i16 over 16 rows at a time and then in i32 in y's own place.
// Codes are stored plus 8, so sums start from −8 · Σx and may wrap on the way: true ones of 16 rows fit, 16 · 8 · 127 = 16256 < 2^15.
import { RowsumOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT } from "./i8row";
import { Pairs } from "./pairs.simd";
import { CLOSE, entriesOf, isCompact, NEAR, rowAt, rowBytes, touch } from "./q4n";
import { start } from "./split";

/** Rows that are added up at a time: a block of the weights, which the nearest cache holds twice. */
const BATCH: u32 = 16;

/** Where the rows of a batch are: a class without fields; i is even. */
interface Rows {
  first(w: usize, from: usize, i: usize, bytes: usize): usize;
  /** The row behind it; where there is none, any, whose activation is 0. */
  second(w: usize, from: usize, i: usize, bytes: usize, last: usize): usize;
}

/** w: the first row of a block. */
class InOrder implements Rows {
  first(w: usize, _from: usize, i: usize, bytes: usize): usize {
    return w + i * bytes;
  }
  second(w: usize, _from: usize, i: usize, bytes: usize, _last: usize): usize {
    return w + (i + 1) * bytes;
  }
}

/** w: the weights, from: the entries of the batch. */
class Listed implements Rows {
  first(w: usize, from: usize, i: usize, _bytes: usize): usize {
    return w + load<u32>(from + (i << 2));
  }
  second(w: usize, from: usize, i: usize, _bytes: usize, last: usize): usize {
    return w + load<u32>(from + (min(i + 1, last) << 2));
  }
}

/** A unit owns runs of 32 channels (16 bytes of each row), for all tokens. */
export function sumRows<P extends Pairs>(p: usize, unit: u32, units: u32): void {
  const op = changetype<RowsumOp>(p);
  const tokens = load<u32>(op.rows);
  const runs = (op.k + 31) >> 5;
  const first = start(unit, units, runs);
  const end = start(unit + 1, units, runs);
  for (let t: u32 = 0; t < tokens; t++) sumRuns<P>(op, t, first, end);
}

/** y of one token in the runs of channels [first, end). */
export function sumRuns<P extends Pairs>(op: RowsumOp, t: u32, first: u32, end: u32): void {
  if (first == end) return;
  const channels = (<usize>first) << 5;
  const left = min((<usize>end) << 5, <usize>op.k) - channels;
  const compact = isCompact(op.picks);
  const w = <usize>(compact ? op.compact : op.w);
  const picks = entriesOf(op.picks);
  const many = compact || picks ? load<u32>(op.picks) : op.n;
  const x = <usize>op.x + <usize>t * op.xs;
  const y = <usize>op.y + ((<usize>t * op.ys + channels) << 2);
  memory.fill(y, 0, left << 2);
  for (let j: u32 = 0; j < many; j += BATCH) {
    const here = min(BATCH, many - j);
    const codes = x + CODES_AT + j;
    if (picks) {
      const from = picks + ((<usize>j) << 2);
      if (j % NEAR == 0) touchPicks(w, from, min(NEAR, many - j), first, end);
      batch<P, Listed>(w, from, op.k, here, codes, first, end, y, left, false);
    } else batch<P, InOrder>(rowAt(w, j, op.k), 0, op.k, here, codes, first, end, y, left, j + 2 * BATCH <= many);
  }
  finish(op, x, channels, y, left);
}

/** Brings the unit's part of `many` rows near. */
export function touchPicks(w: usize, from: usize, many: u32, first: u32, end: u32): void {
  w += (<usize>first) << 4;
  const bytes = (<usize>(end - first)) << 4;
  const span = load<u32>(from + ((<usize>many - 1) << 2)) - load<u32>(from) + bytes;
  if (span < many * CLOSE * bytes) touch(w + load<u32>(from), span);
  else for (const stop = from + ((<usize>many) << 2); from < stop; from += 4) touch(w + load<u32>(from), bytes);
}

/** −8 · Σ of the batch's codes, behind which there are zeros. */
function zeroOf(x: usize): v128 {
  let s = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(x)));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return i16x8.splat(<i16>(-8 * (i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1))));
}

/** followed: the next block is whole, and brought near meanwhile. */
function batch<P extends Pairs, R extends Rows>(w: usize, from: usize, k: u32, many: u32, x: usize, first: u32, end: u32, y: usize, left: usize, followed: bool): void {
  const zero = zeroOf(x);
  const bytes = rowBytes(k);
  const last = <usize>many - 1;
  w += (<usize>first) << 4;
  // a line for each pair of rows and 64 channels: as many as a block has
  const line: usize = followed ? 64 : 0;
  let ahead = followed ? w + (bytes << 4) + 64 : w;
  let run = first;
  for (; run + 2 <= end && left >= 64; run += 2) {
    two<P, R>(w, from, bytes, last, x, zero, y, ahead, line);
    ahead += line << 3;
    w += 32;
    y += 256;
    left -= 64;
  }
  for (; run < end; run++) {
    one<P, R>(w, from, bytes, last, x, zero, y, left);
    w += 16;
    y += 128;
    left -= min<usize>(left, 32);
  }
}

/** 64 channels, whose codes are the first of the rows of w; a byte each `line` from `ahead` on is looked at, one for each pair of rows. */
function two<P extends Pairs, R extends Rows>(w: usize, from: usize, bytes: usize, last: usize, x: usize, zero: v128, y: usize, ahead: usize, line: usize): void {
  const d = changetype<P>(0);
  const rows = changetype<R>(0);
  const low = v128.load(NIBBLE);
  let a0 = zero;
  let a1 = zero;
  let a2 = zero;
  let a3 = zero;
  let b0 = zero;
  let b1 = zero;
  let b2 = zero;
  let b3 = zero;
  for (let i: usize = 0; i <= last; i += 2) {
    load<u8>(ahead);
    ahead += line;
    const p = rows.first(w, from, i, bytes);
    const q = rows.second(w, from, i, bytes, last);
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
  Sums.add(y, a0);
  Sums.add(y + 32, a1);
  Sums.add(y + 64, a2);
  Sums.add(y + 96, a3);
  Sums.add(y + 128, b0);
  Sums.add(y + 160, b1);
  Sums.add(y + 192, b2);
  Sums.add(y + 224, b3);
}

/** 32 channels, as far as there are `left`. */
function one<P extends Pairs, R extends Rows>(w: usize, from: usize, bytes: usize, last: usize, x: usize, zero: v128, y: usize, left: usize): void {
  const d = changetype<P>(0);
  const rows = changetype<R>(0);
  const low = v128.load(NIBBLE);
  let a0 = zero;
  let a1 = zero;
  let a2 = zero;
  let a3 = zero;
  for (let i: usize = 0; i <= last; i += 2) {
    const v = v128.load(rows.first(w, from, i, bytes));
    const u = v128.load(rows.second(w, from, i, bytes, last));
    const even = d.even(x + i);
    const odd = d.odd(x + i);
    const c = v128.shuffle<u8>(v, u, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const e = v128.shuffle<u8>(v, u, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    a0 = d.plus(a0, even, odd, v128.and(c, low));
    a1 = d.plus(a1, even, odd, v128.and(e, low));
    a2 = d.plus(a2, even, odd, v128.and(i16x8.shr_u(c, 4), low));
    a3 = d.plus(a3, even, odd, v128.and(i16x8.shr_u(e, 4), low));
  }
  if (left >= 32) {
    Sums.add(y, a0);
    Sums.add(y + 32, a1);
    Sums.add(y + 64, a2);
    Sums.add(y + 96, a3);
    return;
  }
  addSome(y, left, a0);
  if (left > 8) addSome(y + 32, left - 8, a1);
  if (left > 16) addSome(y + 64, left - 16, a2);
  if (left > 24) addSome(y + 96, left - 24, a3);
}

class Sums {
  /** 8 sums of i16 to those of i32 at y. Inlined: eight of them end each run. */
  @inline
  static add(y: usize, a: v128): void {
    v128.store(y, i32x4.add(v128.load(y), i32x4.extend_low_i16x8_s(a)));
    v128.store(y, i32x4.add(v128.load(y, 16), i32x4.extend_high_i16x8_s(a)), 16);
  }
}

/** As many of the 8 as there are `left`. */
function addSome(y: usize, left: usize, a: v128): void {
  for (const end = y + (min<usize>(left, 8) << 2); y < end; y += 4) {
    store<i32>(y, load<i32>(y) + i16x8.extract_lane_s(a, 0));
    a = v128.shuffle<i16>(a, a, 1, 2, 3, 4, 5, 6, 7, 0);
  }
}

/** i32 sums at y → floats: · channels · scale of x (+ bias). */
export function finish(op: RowsumOp, x: usize, channels: usize, y: usize, left: usize): void {
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
