// How caches of floats keep their rows, for attention of several rows at a time (attendrows.simd.ts).

import { Cached } from "./attendrows.simd";
import { F16_KEEP, F16_REBIAS, F32_REST_TH } from "./constants";
import { poisoned as anyPoisoned, poison as poisonHalves, widenSmall } from "./half.scalar";
import { REST, W_SCALE } from "./halfdot.scalar";

/** f32, as they are. */
export class Floats implements Cached {
  size(): usize {
    return 4;
  }
  widen(rows: usize, n: u32, dh: u32, dhp: usize, to: usize): void {
    const bytes = (<usize>dh) << 2;
    for (let j: u32 = 0; j < n; j++) {
      let i: usize = 0;
      for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(rows + i));
      for (; i < bytes; i += 4) store<f32>(to + i, load<f32>(rows + i));
      for (; i < dhp << 2; i += 4) store<f32>(to + i, 0);
      rows += bytes;
      to += dhp << 2;
    }
  }
  queryTimes(): f32 {
    return 1;
  }
  scoreTimes(): f32 {
    return 1;
  }
  poison(_weights: usize, _rows: usize, _stride: usize, _n: u32): void {}
  poisoned(_rows: usize, _stride: usize, _n: u32): bool {
    return false;
  }
}

/** f16. Products are 1 / REST of the whole as in one row's attention (halfdot.scalar.ts); the queries bear it, exactly down to |q| = 2^-110. */
export class Halves implements Cached {
  size(): usize {
    return 2;
  }
  widen(rows: usize, n: u32, dh: u32, dhp: usize, to: usize): void {
    const bits = v128.load(F16_KEEP);
    const up = v128.load(F16_REBIAS);
    const whole = (<usize>dh & ~3) << 1;
    const bytes = (<usize>dh) << 1;
    for (let j: u32 = 0; j < n; j++) {
      let i: usize = 0;
      for (; i < whole; i += 8) v128.store(to + 2 * i, f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(rows + i), 13), bits), up));
      for (; i < bytes; i += 2) store<f32>(to + 2 * i, widenSmall(rows + i) * W_SCALE);
      for (; i < dhp << 1; i += 2) store<f32>(to + 2 * i, 0);
      rows += bytes;
      to += dhp << 2;
    }
  }
  queryTimes(): f32 {
    return load<f32>(F32_REST_TH);
  }
  scoreTimes(): f32 {
    return REST;
  }
  poison(weights: usize, rows: usize, stride: usize, n: u32): void {
    poisonHalves(weights, rows, stride, n);
  }
  poisoned(rows: usize, stride: usize, n: u32): bool {
    return anyPoisoned(rows, stride, n);
  }
}
