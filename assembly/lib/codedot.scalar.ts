// Attention over i8 caches, laid out as kvappend says (runtime/ops/kvappend/op.ts). Queries and weights become codes of 14 bits with one scale,
// products are whole numbers summed without rounding, so that any order gives the same; what is float is done in a fixed order.

import { CODE_MOST } from "./codes.scalar";
import { ROUND } from "./coefficients";

/** The greatest code of a weight. */
const WEIGHT_MOST: f32 = 16383;
/** Codes of queries are HALF more than they stand for, so that none is negative; sums of keys' codes take that back. */
export const HALF: i32 = 8192;
const HALF_BITS: i32 = 13;
/** The greatest magnitude a code of a query stands for. */
const QUERY_MOST: u32 = 8191;
const ROUND_BITS = reinterpret<i32>(ROUND);

/** x rounded to a whole number, half to even, |x| < 2^22; something within 32 bits for NaN. */
export function whole(x: f32): i32 {
  return reinterpret<i32>(x + ROUND) - ROUND_BITS;
}

/** The greatest code of a query of dhp floats: dhp products with codes up to 127 fit 32 bits. */
export function queryMost(dhp: usize): f32 {
  return <f32>min<u32>(QUERY_MOST, 0x7fffffff / (CODE_MOST * <u32>dhp));
}

/** x f32 [dh] → codes i16 [dhp], HALF behind dh; returns what a code stands for. NaN makes it NaN. */
export function encodeQuery(x: usize, dh: u32, dhp: usize, codes: usize): f32 {
  let amax: f32 = 0;
  for (let i: usize = 0; i < dh; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + (i << 2))));
  const most = queryMost(dhp);
  const inv: f32 = amax == 0 ? 0 : most / amax;
  for (let i: usize = 0; i < dhp; i++) store<i16>(codes + (i << 1), <i16>(HALF + (i < dh ? whole(load<f32>(x + (i << 2)) * inv) : 0)));
  return amax / most;
}

/**
 * scores[j] = (Σ (q[i] − HALF) · keys[j][i]) · scales[j] · times for n positions from `lane` of the 16 at `keys` on; scores and scales stand at the
 * first of them, sums of codes toSum bytes behind scales.
 */
export function scoreCodes(q: usize, keys: usize, lane: usize, scales: usize, toSum: usize, dhp: usize, n: u32, times: f32, scores: usize): void {
  for (let j: usize = 0; j < n; j++) {
    const at = lane + j;
    let k = keys + (at >> 4) * (dhp << 4) + ((at & 15) << 2);
    let s: i32 = -(load<i32>(scales + toSum + (j << 2)) << HALF_BITS);
    for (let x = q; x < q + (dhp << 1); x += 8) {
      s += products(x, k);
      k += 64;
    }
    store<f32>(scores + (j << 2), <f32>s * load<f32>(scales + (j << 2)) * times);
  }
}

/** codes i16 [n] for weights[j] · scales[j] ≥ 0; returns what a code stands for. NaN makes it NaN. */
export function encodeWeights(weights: usize, scales: usize, n: u32, codes: usize): f32 {
  let most: f32 = 0;
  let sum: f32 = 0;
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
    const u = load<f32>(weights + i) * load<f32>(scales + i);
    most = max<f32>(most, u);
    sum += u;
  }
  const unit = sum == sum ? most : NaN;
  const factor = factorOf(unit);
  for (let j: usize = 0; j < n; j++) {
    const u = load<f32>(weights + (j << 2)) * load<f32>(scales + (j << 2));
    store<i16>(codes + (j << 1), <i16>whole(u * factor));
  }
  return backOf(unit);
}

/** Codes a unit of weight; 0 if all weights are. */
export function factorOf(unit: f32): f32 {
  return unit == 0 ? 0 : WEIGHT_MOST / unit;
}

/** The unit of weight a code stands for. */
export function backOf(unit: f32): f32 {
  return unit / WEIGHT_MOST;
}

/** Σ of four products of i16 and i8. */
function products(x: usize, c: usize): i32 {
  return <i32>load<i16>(x) * load<i8>(c) + <i32>load<i16>(x, 2) * load<i8>(c, 1) + <i32>load<i16>(x, 4) * load<i8>(c, 2) + <i32>load<i16>(x, 6) * load<i8>(c, 3);
}

/** y[i] = back · Σ codes[j] · values[j][i] over `quads` times four positions. */
export function mixCodes(codes: usize, values: usize, dh: u32, dhp: usize, quads: usize, back: f32, y: usize): void {
  for (let i: usize = 0; i < dh; i++) {
    let v = values + (i << 2);
    let s: i32 = 0;
    for (let w = codes; w < codes + (quads << 3); w += 8) {
      s += products(w, v);
      v += dhp << 2;
    }
    store<f32>(y + (i << 2), <f32>s * back);
  }
}
