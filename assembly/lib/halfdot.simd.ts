// Attention over rows of f16 [n, dh], four elements at a time; halfdot.scalar.ts says what is computed and gives the same bits.
// A head size that is no multiple of 4 takes the scalar way.
import { F16_KEEP, F16_REBIAS, Q_SCALE } from "./constants";
import { mixColumns, REST, scoreHalves as scoreAny } from "./halfdot.scalar";
import { combine, lanes4 } from "./lanes.simd";

/** 2^-112 times the four halves at p. */
export function widenFour(p: usize, bits: v128): v128 {
  return v128.and(i32x4.shl(v128.load16x4_s(p), 13), bits);
}

/** scores[j] = scale · Σ q[i] · keys[j][i] in four lanes. scratch f32 [dh] is overwritten. */
export function scoreHalves(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize, scratch: usize): void {
  if (dh & 3) scoreAny(q, keys, dh, n, scale, scores, scratch);
  else scoreFours(q, keys, dh, n, scale, scores, scratch);
}

function scoreFours(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize, scratch: usize): void {
  const up = v128.load(Q_SCALE);
  for (let i: usize = 0; i < (<usize>dh) << 2; i += 16) v128.store(scratch + i, f32x4.mul(v128.load(q + i), up));
  const stride = (<usize>dh) << 1;
  const times: f32 = scale * REST;
  const end = scores + ((<usize>n) << 2);
  for (; scores + 16 <= end; scores += 16) {
    v128.store(scores, f32x4.mul(dot4(scratch, keys, stride), f32x4.splat(times)));
    keys += 4 * stride;
  }
  for (; scores < end; scores += 4) {
    store<f32>(scores, dot1(scratch, keys, stride) * times);
    keys += stride;
  }
}

/** Dot products with four rows of `stride` bytes. */
function dot4(q: usize, k0: usize, stride: usize): v128 {
  const bits = v128.load(F16_KEEP);
  const k1 = k0 + stride;
  const k2 = k1 + stride;
  const k3 = k2 + stride;
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let i: usize = 0; i < stride; i += 8) {
    const v = v128.load(q + 2 * i);
    a = f32x4.add(a, f32x4.mul(v, widenFour(k0 + i, bits)));
    b = f32x4.add(b, f32x4.mul(v, widenFour(k1 + i, bits)));
    c = f32x4.add(c, f32x4.mul(v, widenFour(k2 + i, bits)));
    d = f32x4.add(d, f32x4.mul(v, widenFour(k3 + i, bits)));
  }
  return lanes4(a, b, c, d);
}

function dot1(q: usize, k: usize, stride: usize): f32 {
  const bits = v128.load(F16_KEEP);
  let a = f32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 8) a = f32x4.add(a, f32x4.mul(v128.load(q + 2 * i), widenFour(k + i, bits)));
  return combine(a);
}

/** y[i] = Σ weights[j] · rows[j][i], positions in order. */
export function mixHalves(weights: usize, rows: usize, dh: u32, n: u32, y: usize): void {
  const stride = (<usize>dh) << 1;
  let i: u32 = 0;
  for (; i + 32 <= dh; i += 32) mix32(weights, rows + (i << 1), stride, n, y + (i << 2));
  for (; i + 4 <= dh; i += 4) mix4(weights, rows + (i << 1), stride, n, y + (i << 2));
  if (i < dh) mixColumns(weights, rows, dh, i, n, y);
}

/** 32 columns: one cache line of each row. */
function mix32(weights: usize, p: usize, stride: usize, n: u32, y: usize): void {
  const bits = v128.load(F16_KEEP);
  const up = v128.load(F16_REBIAS);
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
    const w = f32x4.mul(v128.load32_splat(weights), up);
    a = f32x4.add(a, f32x4.mul(w, widenFour(p, bits)));
    b = f32x4.add(b, f32x4.mul(w, widenFour(p + 8, bits)));
    c = f32x4.add(c, f32x4.mul(w, widenFour(p + 16, bits)));
    d = f32x4.add(d, f32x4.mul(w, widenFour(p + 24, bits)));
    e = f32x4.add(e, f32x4.mul(w, widenFour(p + 32, bits)));
    f = f32x4.add(f, f32x4.mul(w, widenFour(p + 40, bits)));
    g = f32x4.add(g, f32x4.mul(w, widenFour(p + 48, bits)));
    h = f32x4.add(h, f32x4.mul(w, widenFour(p + 56, bits)));
    p += stride;
  }
  v128.store(y, a);
  v128.store(y, b, 16);
  v128.store(y, c, 32);
  v128.store(y, d, 48);
  v128.store(y, e, 64);
  v128.store(y, f, 80);
  v128.store(y, g, 96);
  v128.store(y, h, 112);
}

function mix4(weights: usize, p: usize, stride: usize, n: u32, y: usize): void {
  const bits = v128.load(F16_KEEP);
  const up = v128.load(F16_REBIAS);
  const end = weights + ((<usize>n) << 2);
  let a = f32x4.splat(0);
  for (; weights < end; weights += 4) {
    a = f32x4.add(a, f32x4.mul(f32x4.mul(v128.load32_splat(weights), up), widenFour(p, bits)));
    p += stride;
  }
  v128.store(y, a);
}
