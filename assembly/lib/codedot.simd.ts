// Attention over rows of int8 codes [n, dh] with one f32 scale a row, eight elements at a time; codedot.scalar.ts says what is computed
// and gives the same bits. A head size that is no multiple of 8 takes the scalar way.
import { mixColumns, scoreCodes as scoreAny } from "./codedot.scalar";
import { combine } from "./lanes.simd";

/** Four of eight codes widened to i16, as f32. */
function low(codes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(codes));
}

function high(codes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(codes));
}

/** scores[j] = (Σ q[i] · codes[j][i]) · scales[j] · scale, the sum in four lanes. */
export function scoreCodes(q: usize, codes: usize, scales: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  if (dh & 7) scoreAny(q, codes, scales, dh, n, scale, scores);
  else scoreFours(q, codes, scales, dh, n, scale, scores);
}

function scoreFours(q: usize, codes: usize, scales: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  const end = scores + ((<usize>n) << 2);
  const times = f32x4.splat(scale);
  for (; scores + 16 <= end; scores += 16) {
    v128.store(scores, f32x4.mul(f32x4.mul(dot4(q, codes, dh), v128.load(scales)), times));
    codes += 4 * <usize>dh;
    scales += 16;
  }
  for (; scores < end; scores += 4) {
    store<f32>(scores, dot1(q, codes, dh) * load<f32>(scales) * scale);
    codes += dh;
    scales += 4;
  }
}

/** Dot products with four rows. */
function dot4(q: usize, c0: usize, dh: usize): v128 {
  const c1 = c0 + dh;
  const c2 = c1 + dh;
  const c3 = c2 + dh;
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let i: usize = 0; i < dh; i += 8) {
    const v0 = v128.load(q + (i << 2));
    const v1 = v128.load(q + (i << 2), 16);
    const w0 = v128.load8x8_s(c0 + i);
    const w1 = v128.load8x8_s(c1 + i);
    const w2 = v128.load8x8_s(c2 + i);
    const w3 = v128.load8x8_s(c3 + i);
    a = f32x4.add(f32x4.add(a, f32x4.mul(v0, low(w0))), f32x4.mul(v1, high(w0)));
    b = f32x4.add(f32x4.add(b, f32x4.mul(v0, low(w1))), f32x4.mul(v1, high(w1)));
    c = f32x4.add(f32x4.add(c, f32x4.mul(v0, low(w2))), f32x4.mul(v1, high(w2)));
    d = f32x4.add(f32x4.add(d, f32x4.mul(v0, low(w3))), f32x4.mul(v1, high(w3)));
  }
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 2, 4, 6), v128.shuffle<f32>(c, d, 1, 3, 5, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

function dot1(q: usize, c: usize, dh: usize): f32 {
  let a = f32x4.splat(0);
  for (let i: usize = 0; i < dh; i += 8) {
    const w = v128.load8x8_s(c + i);
    a = f32x4.add(f32x4.add(a, f32x4.mul(v128.load(q + (i << 2)), low(w))), f32x4.mul(v128.load(q + (i << 2), 16), high(w)));
  }
  return combine(a);
}

/** weights[j] ·= scales[j]. */
export function weigh(weights: usize, scales: usize, n: u32): void {
  const end = weights + ((<usize>n) << 2);
  for (; weights + 16 <= end; weights += 16) {
    v128.store(weights, f32x4.mul(v128.load(weights), v128.load(scales)));
    scales += 16;
  }
  for (; weights < end; weights += 4) {
    store<f32>(weights, load<f32>(weights) * load<f32>(scales));
    scales += 4;
  }
}

/** y[i] = inv · Σ weights[j] · codes[j][i], positions in order. */
export function mixCodes(weights: usize, codes: usize, dh: u32, n: u32, inv: f32, y: usize): void {
  let i: u32 = 0;
  for (; i + 32 <= dh; i += 32) mix32(weights, codes + i, dh, n, inv, y + (i << 2));
  for (; i + 8 <= dh; i += 8) mix8(weights, codes + i, dh, n, inv, y + (i << 2));
  if (i < dh) mixColumns(weights, codes, dh, i, n, inv, y);
}

function mix32(weights: usize, p: usize, stride: usize, n: u32, inv: f32, y: usize): void {
  const end = weights + ((<usize>n) << 2);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let e = a;
  let f = a;
  let g = a;
  let h = a;
  for (; weights < end; weights += 4) {
    const w = v128.load32_splat(weights);
    const c0 = v128.load8x8_s(p);
    a = f32x4.add(a, f32x4.mul(w, low(c0)));
    b = f32x4.add(b, f32x4.mul(w, high(c0)));
    const c1 = v128.load8x8_s(p, 8);
    c = f32x4.add(c, f32x4.mul(w, low(c1)));
    d = f32x4.add(d, f32x4.mul(w, high(c1)));
    const c2 = v128.load8x8_s(p, 16);
    e = f32x4.add(e, f32x4.mul(w, low(c2)));
    f = f32x4.add(f, f32x4.mul(w, high(c2)));
    const c3 = v128.load8x8_s(p, 24);
    g = f32x4.add(g, f32x4.mul(w, low(c3)));
    h = f32x4.add(h, f32x4.mul(w, high(c3)));
    p += stride;
  }
  const times = f32x4.splat(inv);
  v128.store(y, f32x4.mul(a, times));
  v128.store(y, f32x4.mul(b, times), 16);
  v128.store(y, f32x4.mul(c, times), 32);
  v128.store(y, f32x4.mul(d, times), 48);
  v128.store(y, f32x4.mul(e, times), 64);
  v128.store(y, f32x4.mul(f, times), 80);
  v128.store(y, f32x4.mul(g, times), 96);
  v128.store(y, f32x4.mul(h, times), 112);
}

function mix8(weights: usize, p: usize, stride: usize, n: u32, inv: f32, y: usize): void {
  const end = weights + ((<usize>n) << 2);
  let a = f32x4.splat(0);
  let b = a;
  for (; weights < end; weights += 4) {
    const w = v128.load32_splat(weights);
    const codes = v128.load8x8_s(p);
    a = f32x4.add(a, f32x4.mul(w, low(codes)));
    b = f32x4.add(b, f32x4.mul(w, high(codes)));
    p += stride;
  }
  const times = f32x4.splat(inv);
  v128.store(y, f32x4.mul(a, times));
  v128.store(y, f32x4.mul(b, times), 16);
}
