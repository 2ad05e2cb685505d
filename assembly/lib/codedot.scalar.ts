// Attention over rows of int8 codes [n, dh] with one f32 scale a row: scores against a query, and the weighted sum of rows.

/** scores[j] = (Σ q[i] · codes[j][i]) · scales[j] · scale, the sum in four lanes. */
export function scoreCodes(q: usize, codes: usize, scales: usize, dh: u32, n: u32, scale: f32, scores: usize): void {
  for (let j: usize = 0; j < n; j++) store<f32>(scores + (j << 2), dotCodes(q, codes + j * dh, dh) * load<f32>(scales + (j << 2)) * scale);
}

/** Σ q[i] · c[i]: element i in lane i mod 4, lanes combined (l0 + l1) + (l2 + l3). */
function dotCodes(q: usize, c: usize, dh: u32): f32 {
  const end = c + dh;
  let l0: f32 = 0;
  let l1: f32 = 0;
  let l2: f32 = 0;
  let l3: f32 = 0;
  for (; c + 4 <= end; c += 4) {
    l0 += load<f32>(q) * code(c);
    l1 += load<f32>(q, 4) * code(c + 1);
    l2 += load<f32>(q, 8) * code(c + 2);
    l3 += load<f32>(q, 12) * code(c + 3);
    q += 16;
  }
  if (c < end) l0 += load<f32>(q) * code(c);
  if (c + 1 < end) l1 += load<f32>(q, 4) * code(c + 1);
  if (c + 2 < end) l2 += load<f32>(q, 8) * code(c + 2);
  return l0 + l1 + (l2 + l3);
}

function code(p: usize): f32 {
  return <f32>load<i8>(p);
}

/** weights[j] ·= scales[j]. */
export function weigh(weights: usize, scales: usize, n: u32): void {
  for (let i: usize = 0; i < (<usize>n) << 2; i += 4) store<f32>(weights + i, load<f32>(weights + i) * load<f32>(scales + i));
}

/** y[i] = inv · Σ weights[j] · codes[j][i], positions in order. */
export function mixCodes(weights: usize, codes: usize, dh: u32, n: u32, inv: f32, y: usize): void {
  mixColumns(weights, codes, dh, 0, n, inv, y);
}

/** The same for the columns from `first` on. */
export function mixColumns(weights: usize, codes: usize, dh: u32, first: u32, n: u32, inv: f32, y: usize): void {
  for (let i: usize = first; i < dh; i++) {
    let p = codes + i;
    let s: f32 = 0;
    for (let j: usize = 0; j < (<usize>n) << 2; j += 4) {
      s += load<f32>(weights + j) * code(p);
      p += dh;
    }
    store<f32>(y + (i << 2), s * inv);
  }
}
