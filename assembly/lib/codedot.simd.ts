// Attention of one row over i8 caches; codedot.scalar.ts says what is computed and gives the same bits. D says how codes are multiplied. The heads of a
// group go through a block of positions by threes, while it is in the nearest cache.
import { AttentionOp } from "../abi.gen";
import { backOf, factorOf, HALF, queryMost, whole } from "./codedot.scalar";
import { Sums } from "./codesums.simd";
import { I32_HALF14, V_ROUND } from "./constants";
import { keyAt, positionsOf, scaleAt, sumBehindScale, valueAt } from "./i8cache";
import { absmax } from "./i8tok.simd";
import { backsAt, CODE_BYTES, codesAt, groupOf, PART_Y, paddedHead, queryAt, sumsAt, unitsAt, WEIGHT_BYTES } from "./part";
import { BLOCK } from "./seen";
import { capRow, softmax } from "./softmax.simd";

/** Makes the parts of the heads of a group over positions lo … hi − 1 of one block (attend.ts), whose queries are encoded. */
export function attendCodes<D extends Sums>(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const dhp = paddedHead(op.dh);
  const positions = positionsOf(op.capacity);
  const tile = lo & ~15;
  const head = <usize>group * positions * dhp;
  const scales = scaleAt(op.kvheads, positions, dhp, group, tile);
  const behind = load<u32>(op.pos) + row + 1 - hi;
  // In a decode step nothing of a block has been read yet; values of a position lie where its keys do. What is written is overwritten.
  if (op.parts && behind) store<u32>(codesAt(op, scratch), touch(<usize>op.kcache + head + keyAt(hi, dhp), op.vcache - op.kcache, min<u32>(behind, BLOCK) * dhp));
  score<D>(op, <usize>op.kcache + head + keyAt(tile, dhp), <usize>op.kcache + scales, tile, hi, scratch);
  weigh<D>(op, <usize>op.vcache + scales, lo, hi, scratch, part, apart);
  mix<D>(op, <usize>op.vcache + head + valueAt(tile, dhp), tile, hi, scratch, part + PART_Y, apart);
}

/** How many heads are next, of so many that are left. */
function next(left: usize): usize {
  return left < 3 ? 1 : 3;
}

/** Queries of the heads of a group to codes, what a code stands for to units. */
export function encodeQueries<D extends Sums>(op: AttentionOp, row: u32, group: u32, scratch: usize): void {
  let q = <usize>op.q + ((<usize>row * op.qs + <usize>group * groupOf(op) * op.dh) << 2);
  const dhp = paddedHead(op.dh);
  let codes = queryAt(op, scratch);
  const units = unitsAt(op, scratch);
  for (let g: usize = 0; g < groupOf(op); g++) {
    store<f32>(units + (g << 2), encodeQuery<D>(q, op.dh, dhp, codes) * op.scale);
    q += (<usize>op.dh) << 2;
    codes += dhp << 1;
  }
}

/** Four i32 of four floats times `times`. */
function codes4(x: v128, times: v128, round: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, times), round), round);
}

/** x f32 [dh] → codes [dhp], HALF behind dh; returns what a code stands for. NaN makes it NaN. */
function encodeQuery<D extends Sums>(x: usize, dh: u32, dhp: usize, codes: usize): f32 {
  const d = changetype<D>(0);
  const amax = absmax(x, dh);
  const most = queryMost(dhp);
  const inv: f32 = amax == 0 ? 0 : most / amax;
  const times = f32x4.splat(inv);
  const round = v128.load(V_ROUND);
  const half = v128.load(I32_HALF14);
  let i: usize = 0;
  for (; i + 16 <= dh; i += 16) {
    const p = x + (i << 2);
    const a = i32x4.add(codes4(v128.load(p), times, round), half);
    const b = i32x4.add(codes4(v128.load(p, 16), times, round), half);
    const c = i32x4.add(codes4(v128.load(p, 32), times, round), half);
    d.put(codes, dhp, i, a, b, c, i32x4.add(codes4(v128.load(p, 48), times, round), half));
  }
  for (; i < dhp; i++) d.putOne(codes, dhp, i, i < dh ? whole(load<f32>(x + (i << 2)) * inv) + HALF : HALF);
  return amax / most;
}

/** Scores of all heads for whole tiles of 16 positions from `tile` on; those outside of what is seen mean nothing. */
function score<D extends Sums>(op: AttentionOp, keys: usize, scales: usize, tile: u32, hi: u32, scratch: usize): void {
  const d = changetype<D>(0);
  const dhp = paddedHead(op.dh);
  const toSum = sumBehindScale(op.kvheads, positionsOf(op.capacity));
  const sums = sumsAt(op, scratch);
  const heads = groupOf(op);
  for (let g: usize = 0; g < heads; g += next(heads - g)) {
    const n = next(heads - g);
    const q = queryAt(op, scratch) + g * (dhp << 1);
    for (let p = tile; p < hi; p += 16) {
      const at = <usize>(p - tile);
      const line = keys + at * dhp;
      // Values of a position lie where its keys do.
      if (n == 3) d.three(q, dhp, dhp << 1, line, 64, dhp >> 2, sums);
      else d.one(q, dhp, line, 64, dhp >> 2, sums);
      for (let i: usize = 0; i < n; i++)
        storeScores(sums + (i << 6), scales + (at << 2), toSum, load<f32>(unitsAt(op, scratch) + ((g + i) << 2)), scratch + (g + i) * WEIGHT_BYTES + ((<usize>(p % BLOCK)) << 2));
    }
  }
}

/** Reads a byte of each line of two places, as fast as memory gives them: what is in the nearest caches is then computed with undisturbed. */
function touch(from: usize, other: usize, bytes: usize): u32 {
  let seen: u32 = 0;
  for (const end = from + bytes; from < end; from += 64) seen |= load<u8>(from) | load<u8>(from + other);
  return seen;
}

/** Scores of 16 positions: sums without what HALF made of them, times scales, times `times`. */
function storeScores(sums: usize, scales: usize, toSum: usize, times: f32, to: usize): void {
  const ts = f32x4.splat(times);
  for (const end = to + 64; to < end; to += 16) {
    const s = i32x4.sub(v128.load(sums), i32x4.shl(v128.load(scales + toSum), 13));
    v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s), v128.load(scales)), ts));
    sums += 16;
    scales += 16;
  }
}

/** Scores to weights, and these with the scales of the values (of the tile of lo) to codes; what a code stands for to backs. */
function weigh<D extends Sums>(op: AttentionOp, scales: usize, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  const backs = backsAt(op, scratch);
  const before = (<usize>(lo & 15)) << 2;
  const n = hi - lo;
  let codes = codesAt(op, scratch);
  let tile = scratch + ((<usize>((lo & ~15) % BLOCK)) << 2);
  for (let g: usize = 0; g < groupOf(op); g++) {
    const weights = tile + before;
    if (op.softcap > 0) capRow(weights, weights, n, op.softcap);
    softmax(weights, n, part);
    // Tiles are whole: positions outside [lo, hi) weigh nothing.
    for (let p = tile; p < weights; p += 4) store<f32>(p, 0);
    const end = weights + ((<usize>n) << 2);
    for (let p = end; (p - tile) & 63; p += 4) store<f32>(p, 0);
    const unit = greatestProduct(weights, scales + before, n);
    encodeWeights<D>(tile, scales, (end - tile + 63) >> 6, factorOf(unit), codes);
    store<f32>(backs + (g << 2), backOf(unit));
    codes += CODE_BYTES;
    tile += WEIGHT_BYTES;
    part += apart;
  }
}

/** Codes of weights[j] · scales[j] ≥ 0 for `tiles` times 16 positions; where a weight is 0, the scale means nothing. */
function encodeWeights<D extends Sums>(weights: usize, scales: usize, tiles: usize, factor: f32, codes: usize): void {
  const times = f32x4.splat(factor);
  const round = v128.load(V_ROUND);
  for (let i: usize = 0; i < tiles << 4; i += 16) {
    const w = weights + (i << 2);
    const s = scales + (i << 2);
    const a = codes4(product(w, s), times, round);
    const b = codes4(product(w + 16, s + 16), times, round);
    const c = codes4(product(w + 32, s + 32), times, round);
    changetype<D>(0).put(codes, BLOCK, i, a, b, c, codes4(product(w + 48, s + 48), times, round));
  }
}

/** w · s, 0 where w is. */
function product(w: usize, s: usize): v128 {
  const x = v128.load(w);
  return v128.and(f32x4.mul(x, v128.load(s)), f32x4.ne(x, i32x4.splat(0)));
}

/** The greatest weights[j] · scales[j]; NaN if any is, which their sum tells. */
function greatestProduct(weights: usize, scales: usize, n: u32): f32 {
  const end = weights + ((<usize>n) << 2);
  let m = f32x4.splat(0);
  let sums = m;
  for (; weights + 16 <= end; weights += 16) {
    const u = f32x4.mul(v128.load(weights), v128.load(scales));
    m = f32x4.pmax(m, u);
    sums = f32x4.add(sums, u);
    scales += 16;
  }
  let most = max<f32>(max<f32>(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1)), max<f32>(f32x4.extract_lane(m, 2), f32x4.extract_lane(m, 3)));
  let sum = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1) + f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  for (; weights < end; weights += 4) {
    const u = load<f32>(weights) * load<f32>(scales);
    most = max<f32>(most, u);
    sum += u;
    scales += 4;
  }
  return sum == sum ? most : NaN;
}

/** y[i] = back · Σ codes[j] · values[j][i] of all heads over whole tiles from `tile` on, y f32 [dhp], `apart` bytes from one another. */
function mix<D extends Sums>(op: AttentionOp, values: usize, tile: u32, hi: u32, scratch: usize, y: usize, apart: usize): void {
  const d = changetype<D>(0);
  const dhp = paddedHead(op.dh);
  const stride = dhp << 2;
  const quads = (<usize>(hi - tile + 15) >> 4) << 2;
  const sums = sumsAt(op, scratch);
  const heads = groupOf(op);
  for (let g: usize = 0; g < heads; g += next(heads - g)) {
    const n = next(heads - g);
    const w = codesAt(op, scratch) + g * CODE_BYTES;
    for (let i: usize = 0; i < stride; i += 64) {
      if (n == 3) d.three(w, BLOCK, CODE_BYTES, values + i, stride, quads, sums);
      else d.one(w, BLOCK, values + i, stride, quads, sums);
      for (let h: usize = 0; h < n; h++) storeMix(sums + (h << 6), load<f32>(backsAt(op, scratch) + ((g + h) << 2)), y + (g + h) * apart + i);
    }
  }
}

/** 16 elements of y. */
function storeMix(sums: usize, back: f32, y: usize): void {
  const backs = f32x4.splat(back);
  for (const end = y + 64; y < end; y += 16) {
    v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(v128.load(sums)), backs));
    sums += 16;
  }
}
