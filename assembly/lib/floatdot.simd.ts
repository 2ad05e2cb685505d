// Attention over rows of f32 [n, dh], four elements at a time; floatdot.scalar.ts says what is computed and gives the same bits.
// A head size that is no multiple of 4 takes the scalar way.
import { mixColumns, scoreFloats as scoreAny } from "./floatdot.scalar";
import { combine } from "./lanes.simd";

/** scores[j] = scale · Σ q[i] · keys[j][i], the sum in four lanes. */
export function scoreFloats(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  if (dh & 3) scoreAny(q, keys, dh, n, scale, scores);
  else scoreFours(q, keys, dh, n, scale, scores);
}

function scoreFours(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  const stride = (<usize>dh) << 2;
  const times = f32x4.splat(scale);
  const end = scores + ((<usize>n) << 2);
  for (; scores + 16 <= end; scores += 16) {
    v128.store(scores, f32x4.mul(dot4(q, keys, stride), times));
    keys += 4 * stride;
  }
  for (; scores < end; scores += 4) {
    store<f32>(scores, dot1(q, keys, stride) * scale);
    keys += stride;
  }
}

/** Dot products with four rows of `stride` bytes. */
function dot4(q: usize, k0: usize, stride: usize): v128 {
  const k1 = k0 + stride;
  const k2 = k1 + stride;
  const k3 = k2 + stride;
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (let i: usize = 0; i < stride; i += 16) {
    const v = v128.load(q + i);
    a = f32x4.add(a, f32x4.mul(v, v128.load(k0 + i)));
    b = f32x4.add(b, f32x4.mul(v, v128.load(k1 + i)));
    c = f32x4.add(c, f32x4.mul(v, v128.load(k2 + i)));
    d = f32x4.add(d, f32x4.mul(v, v128.load(k3 + i)));
  }
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 2, 4, 6), v128.shuffle<f32>(c, d, 1, 3, 5, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

function dot1(q: usize, k: usize, stride: usize): f32 {
  let a = f32x4.splat(0);
  for (let i: usize = 0; i < stride; i += 16) a = f32x4.add(a, f32x4.mul(v128.load(q + i), v128.load(k + i)));
  return combine(a);
}

/** y[i] = Σ weights[j] · rows[j][i], positions in order. */
export function mixFloats(weights: usize, rows: usize, dh: u32, n: u32, y: usize): void {
  const stride = (<usize>dh) << 2;
  let i: usize = 0;
  for (; i + 128 <= stride; i += 128) mix32(weights, rows + i, stride, n, y + i);
  for (; i + 16 <= stride; i += 16) mix4(weights, rows + i, stride, n, y + i);
  if (i < stride) mixColumns(weights, rows, dh, <u32>(i >> 2), n, y);
}

/** 32 columns: two cache lines of each row. */
function mix32(weights: usize, p: usize, stride: usize, n: u32, y: usize): void {
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
    a = f32x4.add(a, f32x4.mul(w, v128.load(p)));
    b = f32x4.add(b, f32x4.mul(w, v128.load(p, 16)));
    c = f32x4.add(c, f32x4.mul(w, v128.load(p, 32)));
    d = f32x4.add(d, f32x4.mul(w, v128.load(p, 48)));
    e = f32x4.add(e, f32x4.mul(w, v128.load(p, 64)));
    f = f32x4.add(f, f32x4.mul(w, v128.load(p, 80)));
    g = f32x4.add(g, f32x4.mul(w, v128.load(p, 96)));
    h = f32x4.add(h, f32x4.mul(w, v128.load(p, 112)));
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
  const end = weights + ((<usize>n) << 2);
  let a = f32x4.splat(0);
  for (; weights < end; weights += 4) {
    a = f32x4.add(a, f32x4.mul(v128.load32_splat(weights), v128.load(p)));
    p += stride;
  }
  v128.store(y, a);
}
