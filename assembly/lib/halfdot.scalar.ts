// Attention over rows of f16 [n, dh]: scores against a query, and the weighted sum of rows. A half's bits as an f32 are 2^-112 times its
// value; the query is held as q · 2^96 (so |q| must stay below 2^32), weights as w · 2^112: powers of two, which round nothing.
import { widenSmall } from "./half.scalar";

const Q_SCALE: f32 = reinterpret<f32>(0x6f800000);
export const W_SCALE: f32 = reinterpret<f32>(0x77800000);
/** What is missing from a product of q · 2^96 and k · 2^-112. */
export const REST: f32 = 65536;

/** scores[j] = scale · Σ q[i] · keys[j][i] in four lanes. scratch f32 [dh] is overwritten. */
export function scoreHalves(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize, scratch: usize): void {
  for (let i: usize = 0; i < (<usize>dh) << 2; i += 4) store<f32>(scratch + i, load<f32>(q + i) * Q_SCALE);
  for (let j: usize = 0; j < n; j++) store<f32>(scores + (j << 2), dotHalves(scratch, keys + ((j * dh) << 1), dh) * (scale * REST));
}

/** Σ q[i] · k[i]: element i in lane i mod 4, lanes combined (l0 + l1) + (l2 + l3). */
function dotHalves(q: usize, k: usize, dh: u32): f32 {
  const end = k + ((<usize>dh) << 1);
  let l0: f32 = 0;
  let l1: f32 = 0;
  let l2: f32 = 0;
  let l3: f32 = 0;
  for (; k + 8 <= end; k += 8) {
    l0 += load<f32>(q) * widenSmall(k);
    l1 += load<f32>(q, 4) * widenSmall(k + 2);
    l2 += load<f32>(q, 8) * widenSmall(k + 4);
    l3 += load<f32>(q, 12) * widenSmall(k + 6);
    q += 16;
  }
  if (k < end) l0 += load<f32>(q) * widenSmall(k);
  if (k + 2 < end) l1 += load<f32>(q, 4) * widenSmall(k + 2);
  if (k + 4 < end) l2 += load<f32>(q, 8) * widenSmall(k + 4);
  return l0 + l1 + (l2 + l3);
}

/** y[i] = Σ weights[j] · rows[j][i], positions in order. */
export function mixHalves(weights: usize, rows: usize, dh: u32, n: u32, y: usize): void {
  mixColumns(weights, rows, dh, 0, n, y);
}

/** The same for the columns from `first` on. */
export function mixColumns(weights: usize, rows: usize, dh: u32, first: u32, n: u32, y: usize): void {
  const stride = (<usize>dh) << 1;
  for (let i: usize = first; i < dh; i++) {
    let p = rows + (i << 1);
    let s: f32 = 0;
    for (let j: usize = 0; j < (<usize>n) << 2; j += 4) {
      s += load<f32>(weights + j) * W_SCALE * widenSmall(p);
      p += stride;
    }
    store<f32>(y + (i << 2), s);
  }
}
