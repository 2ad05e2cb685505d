// Attention of three query heads over rows of f16 [n, dh] that they share: each element is widened once, which is most of the work of one head.
// Every head's sums are made in the order of halfdot.scalar.ts, so the bits are the same. dh is a multiple of 8.
import { F16_KEEP, F16_REBIAS, Q_SCALE } from "./constants";
import { REST } from "./halfdot.scalar";
import { widenFour } from "./halfdot.simd";
import { combine, lanes4 } from "./lanes.simd";

/**
 * Head h: scores[j] = scale · Σ q[i] · keys[j][i] in four lanes. Queries are dh apart, scores `row` bytes; scratch f32 [dh], `apart` bytes from
 * head to head, is overwritten.
 */
export function scoreThree(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize, row: usize, scratch: usize, apart: usize): void {
  const up = v128.load(Q_SCALE);
  const bytes = (<usize>dh) << 2;
  for (let h: usize = 0; h < 3; h++) for (let i: usize = 0; i < bytes; i += 16) v128.store(scratch + h * apart + i, f32x4.mul(v128.load(q + h * bytes + i), up));
  const stride = (<usize>dh) << 1;
  const times: f32 = scale * REST;
  const end = scores + ((<usize>n) << 2);
  for (; scores + 16 <= end; scores += 16) {
    fourRows(scratch, apart, keys, stride, f32x4.splat(times), scores, row);
    keys += 4 * stride;
  }
  for (; scores < end; scores += 4) {
    oneRow(scratch, apart, keys, stride, times, scores, row);
    keys += stride;
  }
}

function fourRows(q: usize, apart: usize, k0: usize, stride: usize, times: v128, scores: usize, row: usize): void {
  const bits = v128.load(F16_KEEP);
  const k1 = k0 + stride;
  const k2 = k1 + stride;
  const k3 = k2 + stride;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  let c0 = a0;
  let c1 = a0;
  let c2 = a0;
  let c3 = a0;
  for (let i: usize = 0; i < stride; i += 8) {
    const p = q + 2 * i;
    const r = p + apart;
    const s = r + apart;
    let k = widenFour(k0 + i, bits);
    a0 = f32x4.add(a0, f32x4.mul(k, v128.load(p)));
    b0 = f32x4.add(b0, f32x4.mul(k, v128.load(r)));
    c0 = f32x4.add(c0, f32x4.mul(k, v128.load(s)));
    k = widenFour(k1 + i, bits);
    a1 = f32x4.add(a1, f32x4.mul(k, v128.load(p)));
    b1 = f32x4.add(b1, f32x4.mul(k, v128.load(r)));
    c1 = f32x4.add(c1, f32x4.mul(k, v128.load(s)));
    k = widenFour(k2 + i, bits);
    a2 = f32x4.add(a2, f32x4.mul(k, v128.load(p)));
    b2 = f32x4.add(b2, f32x4.mul(k, v128.load(r)));
    c2 = f32x4.add(c2, f32x4.mul(k, v128.load(s)));
    k = widenFour(k3 + i, bits);
    a3 = f32x4.add(a3, f32x4.mul(k, v128.load(p)));
    b3 = f32x4.add(b3, f32x4.mul(k, v128.load(r)));
    c3 = f32x4.add(c3, f32x4.mul(k, v128.load(s)));
  }
  v128.store(scores, f32x4.mul(lanes4(a0, a1, a2, a3), times));
  v128.store(scores + row, f32x4.mul(lanes4(b0, b1, b2, b3), times));
  v128.store(scores + 2 * row, f32x4.mul(lanes4(c0, c1, c2, c3), times));
}

function oneRow(q: usize, apart: usize, key: usize, stride: usize, times: f32, scores: usize, row: usize): void {
  const bits = v128.load(F16_KEEP);
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  for (let i: usize = 0; i < stride; i += 8) {
    const p = q + 2 * i;
    const k = widenFour(key + i, bits);
    a = f32x4.add(a, f32x4.mul(k, v128.load(p)));
    b = f32x4.add(b, f32x4.mul(k, v128.load(p + apart)));
    c = f32x4.add(c, f32x4.mul(k, v128.load(p + 2 * apart)));
  }
  store<f32>(scores, combine(a) * times);
  store<f32>(scores + row, combine(b) * times);
  store<f32>(scores + 2 * row, combine(c) * times);
}

/** Head h: y[i] = Σ weights[j] · rows[j][i], positions in order. Weights are `row` bytes from head to head, y `apart`. */
export function mixThree(weights: usize, row: usize, rows: usize, dh: u32, n: u32, y: usize, apart: usize): void {
  const stride = (<usize>dh) << 1;
  for (let i: usize = 0; i < stride; i += 16) mix8(weights, row, rows + i, stride, n, y + 2 * i, apart);
}

/** 8 columns. */
function mix8(w: usize, row: usize, p: usize, stride: usize, n: u32, y: usize, apart: usize): void {
  const bits = v128.load(F16_KEEP);
  const up = v128.load(F16_REBIAS);
  const end = w + ((<usize>n) << 2);
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let b0 = a0;
  let b1 = a0;
  let c0 = a0;
  let c1 = a0;
  for (; w < end; w += 4) {
    const a = f32x4.mul(v128.load32_splat(w), up);
    const b = f32x4.mul(v128.load32_splat(w + row), up);
    const c = f32x4.mul(v128.load32_splat(w + 2 * row), up);
    let v = widenFour(p, bits);
    a0 = f32x4.add(a0, f32x4.mul(a, v));
    b0 = f32x4.add(b0, f32x4.mul(b, v));
    c0 = f32x4.add(c0, f32x4.mul(c, v));
    v = widenFour(p + 8, bits);
    a1 = f32x4.add(a1, f32x4.mul(a, v));
    b1 = f32x4.add(b1, f32x4.mul(b, v));
    c1 = f32x4.add(c1, f32x4.mul(c, v));
    p += stride;
  }
  v128.store(y, a0);
  v128.store(y, a1, 16);
  y += apart;
  v128.store(y, b0);
  v128.store(y, b1, 16);
  y += apart;
  v128.store(y, c0);
  v128.store(y, c1, 16);
}
