// Attention over i8 caches, up to three query heads at a time, so that the keys and values they share are widened once; codedot.scalar.ts says
// what is computed and gives the same bits. Sizes are whole multiples of 16, which the caches are padded to.
import { backOf, encodeRest, factorOf, queryMost, whole } from "./codedot.scalar";
import { V_ROUND } from "./constants";
import { absmax } from "./i8tok.simd";
import { CODE_BYTES, WEIGHT_BYTES } from "./part";

/** Eight i16 codes of eight floats times `times`. */
function codes8(x: v128, y: v128, times: v128, round: v128): v128 {
  const a = i32x4.sub(f32x4.add(f32x4.mul(x, times), round), round);
  return i16x8.narrow_i32x4_s(a, i32x4.sub(f32x4.add(f32x4.mul(y, times), round), round));
}

/** x f32 [dh] → codes i16 [dhp], zeros behind dh; returns what a code stands for. NaN makes it NaN. */
export function encodeQuery(x: usize, dh: u32, dhp: usize, codes: usize): f32 {
  const amax = absmax(x, dh);
  const most = queryMost(dhp);
  const inv: f32 = amax == 0 ? 0 : most / amax;
  const times = f32x4.splat(inv);
  const round = v128.load(V_ROUND);
  let i: usize = 0;
  for (; i + 8 <= dh; i += 8) v128.store(codes + (i << 1), codes8(v128.load(x + (i << 2)), v128.load(x + (i << 2), 16), times, round));
  for (; i < dhp; i++) store<i16>(codes + (i << 1), i < dh ? <i16>whole(load<f32>(x + (i << 2)) * inv) : 0);
  return amax / most;
}

/** Scores of 16 positions: sums of products times scales, times `times`. */
function storeScores(s0: v128, s1: v128, s2: v128, s3: v128, scales: usize, times: v128, to: usize): void {
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s0), v128.load(scales)), times));
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s1), v128.load(scales, 16)), times), 16);
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s2), v128.load(scales, 32)), times), 32);
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s3), v128.load(scales, 48)), times), 48);
}

/** Scores of 8 positions. */
function storeHalf(s0: v128, s1: v128, scales: usize, times: v128, to: usize): void {
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s0), v128.load(scales)), times));
  v128.store(to, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s1), v128.load(scales, 16)), times), 16);
}

/** Scores of one query for `tiles` times 16 positions. */
export function scoreOne(q: usize, keys: usize, scales: usize, dhp: usize, tiles: u32, times: f32, scores: usize): void {
  const ts = f32x4.splat(times);
  for (; tiles; tiles--) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    const end = keys + (dhp << 4);
    for (let x = q; keys < end; keys += 32) {
      const u = v128.load32_splat(x);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load8x8_s(keys), u));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load8x8_s(keys, 8), u));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load8x8_s(keys, 16), u));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load8x8_s(keys, 24), u));
      x += 4;
    }
    storeScores(a, b, c, d, scales, ts, scores);
    scales += 64;
    scores += 64;
  }
}

/** Scores of two queries, dhp codes and WEIGHT_BYTES of scores apart. */
export function scoreTwo(q: usize, keys: usize, scales: usize, dhp: usize, tiles: u32, times0: f32, times1: f32, scores: usize): void {
  const ts = f32x4.splat(times0);
  const us = f32x4.splat(times1);
  const apart = dhp << 1;
  for (; tiles; tiles--) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    const end = keys + (dhp << 4);
    for (let x = q; keys < end; keys += 32) {
      const u = v128.load32_splat(x);
      const v = v128.load32_splat(x + apart);
      let k = v128.load8x8_s(keys);
      a = i32x4.add(a, i32x4.dot_i16x8_s(k, u));
      e = i32x4.add(e, i32x4.dot_i16x8_s(k, v));
      k = v128.load8x8_s(keys, 8);
      b = i32x4.add(b, i32x4.dot_i16x8_s(k, u));
      f = i32x4.add(f, i32x4.dot_i16x8_s(k, v));
      k = v128.load8x8_s(keys, 16);
      c = i32x4.add(c, i32x4.dot_i16x8_s(k, u));
      g = i32x4.add(g, i32x4.dot_i16x8_s(k, v));
      k = v128.load8x8_s(keys, 24);
      d = i32x4.add(d, i32x4.dot_i16x8_s(k, u));
      h = i32x4.add(h, i32x4.dot_i16x8_s(k, v));
      x += 4;
    }
    storeScores(a, b, c, d, scales, ts, scores);
    storeScores(e, f, g, h, scales, us, scores + WEIGHT_BYTES);
    scales += 64;
    scores += 64;
  }
}

/**
 * Scores of three queries, eight positions at a time, as more sums than six would not stay in registers; `units` f32 [3].
 * One byte of what lies `ahead` of each key is read on the way, so that it comes from memory while this computes.
 */
export function scoreThree(q: usize, keys: usize, scales: usize, dhp: usize, tiles: u32, units: usize, scores: usize, ahead: usize): u32 {
  const apart = dhp << 1;
  let seen: u32 = 0;
  for (let halves = tiles << 1; halves; halves--) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    const end = keys + (dhp << 4);
    let x = q;
    for (let p = keys; p < end; p += 32) {
      const k = v128.load8x8_s(p);
      const l = v128.load8x8_s(p, 8);
      let u = v128.load32_splat(x);
      a = i32x4.add(a, i32x4.dot_i16x8_s(k, u));
      b = i32x4.add(b, i32x4.dot_i16x8_s(l, u));
      u = v128.load32_splat(x + apart);
      c = i32x4.add(c, i32x4.dot_i16x8_s(k, u));
      d = i32x4.add(d, i32x4.dot_i16x8_s(l, u));
      u = v128.load32_splat(x + 2 * apart);
      e = i32x4.add(e, i32x4.dot_i16x8_s(k, u));
      f = i32x4.add(f, i32x4.dot_i16x8_s(l, u));
      seen |= load<u8>(p + ahead);
      x += 4;
    }
    storeHalf(a, b, scales, v128.load32_splat(units), scores);
    storeHalf(c, d, scales, v128.load32_splat(units, 4), scores + WEIGHT_BYTES);
    storeHalf(e, f, scales, v128.load32_splat(units, 8), scores + 2 * WEIGHT_BYTES);
    keys = halves & 1 ? end - 16 : keys + 16;
    scales += 32;
    scores += 32;
  }
  return seen;
}

/** codes i16 [n] for weights[j] · scales[j] ≥ 0; returns what a code stands for. NaN makes it NaN. */
export function encodeWeights(weights: usize, scales: usize, n: u32, codes: usize): f32 {
  const unit = greatestProduct(weights, scales, n);
  const factor = factorOf(unit);
  const times = f32x4.splat(factor);
  const round = v128.load(V_ROUND);
  let j: usize = 0;
  for (; j + 8 <= n; j += 8) {
    const w = weights + (j << 2);
    const s = scales + (j << 2);
    v128.store(codes + (j << 1), codes8(f32x4.mul(v128.load(w), v128.load(s)), f32x4.mul(v128.load(w, 16), v128.load(s, 16)), times, round));
  }
  encodeRest(weights, scales, j, n, factor, codes);
  return backOf(unit);
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

function storeMix(s0: v128, s1: v128, s2: v128, s3: v128, back: v128, y: usize): void {
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s0), back));
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s1), back), 16);
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s2), back), 32);
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s3), back), 48);
}

/** y[i] = back · Σ codes[j] · values[j][i] over `pairs` pairs of positions, y f32 [dhp]. */
export function mixOne(codes: usize, values: usize, dhp: usize, pairs: usize, back: f32, y: usize): void {
  const end = codes + (pairs << 2);
  const backs = f32x4.splat(back);
  for (let i: usize = 0; i < dhp; i += 16) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let v = values + (i << 1);
    for (let w = codes; w < end; w += 4) {
      const u = v128.load32_splat(w);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v128.load8x8_s(v), u));
      b = i32x4.add(b, i32x4.dot_i16x8_s(v128.load8x8_s(v, 8), u));
      c = i32x4.add(c, i32x4.dot_i16x8_s(v128.load8x8_s(v, 16), u));
      d = i32x4.add(d, i32x4.dot_i16x8_s(v128.load8x8_s(v, 24), u));
      v += dhp << 1;
    }
    storeMix(a, b, c, d, backs, y + (i << 2));
  }
}

/** The same for two heads, CODE_BYTES of codes and `apart` bytes of y from one another. */
export function mixTwo(codes: usize, values: usize, dhp: usize, pairs: usize, back0: f32, back1: f32, y: usize, apart: usize): void {
  const end = codes + (pairs << 2);
  const backs = f32x4.splat(back0);
  const others = f32x4.splat(back1);
  for (let i: usize = 0; i < dhp; i += 16) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    let p = values + (i << 1);
    for (let w = codes; w < end; w += 4) {
      const u = v128.load32_splat(w);
      const x = v128.load32_splat(w, CODE_BYTES);
      let v = v128.load8x8_s(p);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, u));
      e = i32x4.add(e, i32x4.dot_i16x8_s(v, x));
      v = v128.load8x8_s(p, 8);
      b = i32x4.add(b, i32x4.dot_i16x8_s(v, u));
      f = i32x4.add(f, i32x4.dot_i16x8_s(v, x));
      v = v128.load8x8_s(p, 16);
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, u));
      g = i32x4.add(g, i32x4.dot_i16x8_s(v, x));
      v = v128.load8x8_s(p, 24);
      d = i32x4.add(d, i32x4.dot_i16x8_s(v, u));
      h = i32x4.add(h, i32x4.dot_i16x8_s(v, x));
      p += dhp << 1;
    }
    storeMix(a, b, c, d, backs, y + (i << 2));
    storeMix(e, f, g, h, others, y + apart + (i << 2));
  }
}

/** The same for three heads, eight columns at a time; `backs` f32 [3]. */
export function mixThree(codes: usize, values: usize, dhp: usize, pairs: usize, backs: usize, y: usize, apart: usize): void {
  const end = codes + (pairs << 2);
  for (let i: usize = 0; i < dhp; i += 8) {
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let p = values + (i << 1);
    for (let w = codes; w < end; w += 4) {
      const v = v128.load8x8_s(p);
      const x = v128.load8x8_s(p, 8);
      let u = v128.load32_splat(w);
      a = i32x4.add(a, i32x4.dot_i16x8_s(v, u));
      b = i32x4.add(b, i32x4.dot_i16x8_s(x, u));
      u = v128.load32_splat(w, CODE_BYTES);
      c = i32x4.add(c, i32x4.dot_i16x8_s(v, u));
      d = i32x4.add(d, i32x4.dot_i16x8_s(x, u));
      u = v128.load32_splat(w, 2 * CODE_BYTES);
      e = i32x4.add(e, i32x4.dot_i16x8_s(v, u));
      f = i32x4.add(f, i32x4.dot_i16x8_s(x, u));
      p += dhp << 1;
    }
    const to = y + (i << 2);
    storeColumns(a, b, v128.load32_splat(backs), to);
    storeColumns(c, d, v128.load32_splat(backs, 4), to + apart);
    storeColumns(e, f, v128.load32_splat(backs, 8), to + 2 * apart);
  }
}

/** 8 columns. */
function storeColumns(s0: v128, s1: v128, back: v128, y: usize): void {
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s0), back));
  v128.store(y, f32x4.mul(f32x4.convert_i32x4_s(s1), back), 16);
}
