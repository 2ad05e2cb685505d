// Cuts of tokens' cores (runtime/ops/corecut). A unit owns whole rows.
import { cutRows, Ranker } from "../lib/corecut";

class Scalars implements Ranker {
  rank(s: usize, u: usize, n: u32, magnitude: bool): void {
    for (let i: usize = 0; i < (<usize>n) << 2; i += 4) {
      const h = u ? load<f32>(s + i) * load<f32>(u + i) : load<f32>(s + i);
      const ranked = magnitude ? abs<f32>(h) : h;
      store<f32>(s + i, ranked > 0 ? ranked : 0);
    }
  }
  count(s: usize, n: u32, least: i32): u32 {
    let many: u32 = 0;
    for (const end = s + ((<usize>n) << 2); s < end; s += 4) many += load<i32>(s) >= least ? 1 : 0;
    return many;
  }
  least(s: usize, n: u32, from: i32): i32 {
    let found = i32.MAX_VALUE;
    for (const end = s + ((<usize>n) << 2); s < end; s += 4) {
      const bits = load<i32>(s);
      found = bits >= from ? min(found, bits) : found;
    }
    return found;
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  cutRows<Scalars>(p, unit, units);
}
