// Two queries against a tile of f32 rows [n, dhp], dhp a multiple of 16: dot products, and weighted sums that go on where they were.
// Each is made of the operations of floatdot.scalar.ts in their order.
import { lanes4 } from "./lanes.simd";

/** x[i] ·= times, x f32 [k]. */
export function timesRow(x: usize, k: usize, times: f32): void {
  if (times == 1) return;
  const end = x + (k << 2);
  const ts = f32x4.splat(times);
  for (; x + 16 <= end; x += 16) v128.store(x, f32x4.mul(v128.load(x), ts));
  for (; x < end; x += 4) store<f32>(x, load<f32>(x) * times);
}

/** scores[j] = times · Σ q[i] · tile[j][i] in four lanes, for two queries; n is rounded up to 4: what is behind it means nothing. */
export function scoreTwo(q0: usize, q1: usize, tile: usize, dhp: usize, n: u32, times: f32, s0: usize, s1: usize): void {
  const ts = f32x4.splat(times);
  const row = dhp << 2;
  const apart = q1 - q0;
  const end = s0 + ((<usize>n) << 2);
  while (s0 < end) {
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    let e = a;
    let f = a;
    let g = a;
    let h = a;
    let k = tile;
    tile += row;
    for (let q = q0; k < tile; q += 16) {
      const u = v128.load(q);
      const v = v128.load(q + apart);
      let p = k;
      let x = v128.load(p);
      a = f32x4.add(a, f32x4.mul(u, x));
      e = f32x4.add(e, f32x4.mul(v, x));
      p += row;
      x = v128.load(p);
      b = f32x4.add(b, f32x4.mul(u, x));
      f = f32x4.add(f, f32x4.mul(v, x));
      p += row;
      x = v128.load(p);
      c = f32x4.add(c, f32x4.mul(u, x));
      g = f32x4.add(g, f32x4.mul(v, x));
      p += row;
      x = v128.load(p);
      d = f32x4.add(d, f32x4.mul(u, x));
      h = f32x4.add(h, f32x4.mul(v, x));
      k += 16;
    }
    v128.store(s0, f32x4.mul(lanes4(a, b, c, d), ts));
    v128.store(s1, f32x4.mul(lanes4(e, f, g, h), ts));
    tile += 3 * row;
    s0 += 16;
    s1 += 16;
  }
}

/** y[i] += Σ weights[j] · tile[j][i], positions in order, for two queries. */
export function mixTwo(w0: usize, w1: usize, tile: usize, dhp: usize, n: u32, y0: usize, y1: usize): void {
  const row = dhp << 2;
  const apart = w1 - w0;
  const end = w0 + ((<usize>n) << 2);
  for (const last = tile + row; tile < last; tile += 64) {
    let a = v128.load(y0);
    let b = v128.load(y0, 16);
    let c = v128.load(y0, 32);
    let d = v128.load(y0, 48);
    let e = v128.load(y1);
    let f = v128.load(y1, 16);
    let g = v128.load(y1, 32);
    let h = v128.load(y1, 48);
    let p = tile;
    for (let w = w0; w < end; w += 4) {
      const u = v128.load32_splat(w);
      const v = v128.load32_splat(w + apart);
      let x = v128.load(p);
      a = f32x4.add(a, f32x4.mul(u, x));
      e = f32x4.add(e, f32x4.mul(v, x));
      x = v128.load(p, 16);
      b = f32x4.add(b, f32x4.mul(u, x));
      f = f32x4.add(f, f32x4.mul(v, x));
      x = v128.load(p, 32);
      c = f32x4.add(c, f32x4.mul(u, x));
      g = f32x4.add(g, f32x4.mul(v, x));
      x = v128.load(p, 48);
      d = f32x4.add(d, f32x4.mul(u, x));
      h = f32x4.add(h, f32x4.mul(v, x));
      p += row;
    }
    v128.store(y0, a);
    v128.store(y0, b, 16);
    v128.store(y0, c, 32);
    v128.store(y0, d, 48);
    v128.store(y1, e);
    v128.store(y1, f, 16);
    v128.store(y1, g, 32);
    v128.store(y1, h, 48);
    y0 += 64;
    y1 += 64;
  }
}

/** The same for one query. */
export function mixOne(weights: usize, tile: usize, dhp: usize, n: u32, y: usize): void {
  const row = dhp << 2;
  const end = weights + ((<usize>n) << 2);
  for (const last = tile + row; tile < last; tile += 64) {
    let a = v128.load(y);
    let b = v128.load(y, 16);
    let c = v128.load(y, 32);
    let d = v128.load(y, 48);
    let p = tile;
    for (let w = weights; w < end; w += 4) {
      const u = v128.load32_splat(w);
      a = f32x4.add(a, f32x4.mul(u, v128.load(p)));
      b = f32x4.add(b, f32x4.mul(u, v128.load(p, 16)));
      c = f32x4.add(c, f32x4.mul(u, v128.load(p, 32)));
      d = f32x4.add(d, f32x4.mul(u, v128.load(p, 48)));
      p += row;
    }
    v128.store(y, a);
    v128.store(y, b, 16);
    v128.store(y, c, 32);
    v128.store(y, d, 48);
    y += 64;
  }
}
