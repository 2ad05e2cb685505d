// Attention over rows of f32 [n, dh]: scores against a query, and the weighted sum of rows.

/** scores[j] = scale · Σ q[i] · keys[j][i], the sum in four lanes. */
export function scoreFloats(q: usize, keys: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  for (let j: usize = 0; j < n; j++) store<f32>(scores + (j << 2), dotFloats(q, keys + ((j * dh) << 2), dh) * scale);
}

/** Σ q[i] · k[i]: element i in lane i mod 4, lanes combined (l0 + l1) + (l2 + l3). */
function dotFloats(q: usize, k: usize, dh: u32): f32 {
  const end = k + ((<usize>dh) << 2);
  let l0: f32 = 0;
  let l1: f32 = 0;
  let l2: f32 = 0;
  let l3: f32 = 0;
  for (; k + 16 <= end; k += 16) {
    l0 += load<f32>(q) * load<f32>(k);
    l1 += load<f32>(q, 4) * load<f32>(k, 4);
    l2 += load<f32>(q, 8) * load<f32>(k, 8);
    l3 += load<f32>(q, 12) * load<f32>(k, 12);
    q += 16;
  }
  if (k < end) l0 += load<f32>(q) * load<f32>(k);
  if (k + 4 < end) l1 += load<f32>(q, 4) * load<f32>(k, 4);
  if (k + 8 < end) l2 += load<f32>(q, 8) * load<f32>(k, 8);
  return l0 + l1 + (l2 + l3);
}

/** y[i] = Σ weights[j] · rows[j][i], positions in order. */
export function mixFloats(weights: usize, rows: usize, dh: u32, n: u32, y: usize): void {
  mixColumns(weights, rows, dh, 0, n, y);
}

/** The same for the columns from `first` on. */
export function mixColumns(weights: usize, rows: usize, dh: u32, first: u32, n: u32, y: usize): void {
  const stride = (<usize>dh) << 2;
  for (let i: usize = (<usize>first) << 2; i < stride; i += 4) {
    let p = rows + i;
    let s: f32 = 0;
    for (let j: usize = 0; j < (<usize>n) << 2; j += 4) {
      s += load<f32>(weights + j) * load<f32>(p);
      p += stride;
    }
    store<f32>(y + i, s);
  }
}
