// Cuts of tokens' cores (runtime/ops/corecut). A unit owns whole rows.
import { F32_ABS } from "../lib/constants";
import { cutRows, Ranker } from "../lib/corecut";

class Vectors implements Ranker {
  rank(s: usize, u: usize, n: u32, magnitude: bool): void {
    const end = s + ((<usize>n) << 2);
    const sign = v128.load(F32_ABS);
    const zero = f32x4.splat(0);
    // pmax: 0 < h ? h : 0, so that NaN becomes 0
    for (; s + 16 <= end; s += 16) {
      const h = u ? f32x4.mul(v128.load(s), v128.load(u)) : v128.load(s);
      v128.store(s, f32x4.pmax(zero, magnitude ? v128.and(h, sign) : h));
      u = u ? u + 16 : 0;
    }
    for (; s < end; s += 4) {
      const h = u ? load<f32>(s) * load<f32>(u) : load<f32>(s);
      const ranked = magnitude ? abs<f32>(h) : h;
      store<f32>(s, ranked > 0 ? ranked : 0);
      u = u ? u + 4 : 0;
    }
  }
  count(s: usize, n: u32, least: i32): u32 {
    const floor = i32x4.splat(least - 1);
    const end = s + ((<usize>n) << 2);
    let a = i32x4.splat(0);
    let b = a;
    // a lane that is as great is −1
    for (; s + 32 <= end; s += 32) {
      a = i32x4.sub(a, i32x4.gt_s(v128.load(s), floor));
      b = i32x4.sub(b, i32x4.gt_s(v128.load(s, 16), floor));
    }
    a = i32x4.add(a, b);
    a = i32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
    let many = <u32>(i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1));
    for (; s < end; s += 4) many += load<i32>(s) >= least ? 1 : 0;
    return many;
  }
  least(s: usize, n: u32, from: i32): i32 {
    const end = s + ((<usize>n) << 2);
    const floor = i32x4.splat(from - 1);
    // the greatest i32, too
    const most = v128.load(F32_ABS);
    let low = most;
    for (; s + 16 <= end; s += 16) {
      const bits = v128.load(s);
      low = i32x4.min_s(low, v128.bitselect(bits, most, i32x4.gt_s(bits, floor)));
    }
    low = i32x4.min_s(low, v128.shuffle<i32>(low, low, 2, 3, 0, 1));
    let found = min(i32x4.extract_lane(low, 0), i32x4.extract_lane(low, 1));
    for (; s < end; s += 4) {
      const bits = load<i32>(s);
      found = bits >= from ? min(found, bits) : found;
    }
    return found;
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  cutRows<Vectors>(p, unit, units);
}
