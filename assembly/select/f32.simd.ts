// s = f(g), and the neurons to go on with (runtime/ops/select). A unit owns whole rows.
import { activateRow } from "../lib/activation.simd";
import { F32_ABS } from "../lib/constants";
import { Selector, selectRows } from "../lib/select";

class Vectors implements Selector {
  activate(kind: u32, g: usize, y: usize, n: u32): void {
    activateRow(kind, g, 0, y, n);
  }
  count(s: usize, n: u32, least: i32): u32 {
    const sign = v128.load(F32_ABS);
    const floor = i32x4.splat(least - 1);
    const end = s + ((<usize>n) << 2);
    let a = i32x4.splat(0);
    let b = a;
    // a lane that is as great is −1
    for (; s + 32 <= end; s += 32) {
      a = i32x4.sub(a, i32x4.gt_s(v128.and(v128.load(s), sign), floor));
      b = i32x4.sub(b, i32x4.gt_s(v128.and(v128.load(s, 16), sign), floor));
    }
    a = i32x4.add(a, b);
    a = i32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
    let many = <u32>(i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1));
    for (; s < end; s += 4) many += (load<i32>(s) & 0x7fffffff) >= least ? 1 : 0;
    return many;
  }
  listSome(s: usize, n: u32, entries: usize): u32 {
    const first = entries;
    const zero = f32x4.splat(0);
    let i: u32 = 0;
    for (; i + 8 <= n; i += 8) {
      const at = s + ((<usize>i) << 2);
      let some = i32x4.bitmask(f32x4.ne(v128.load(at), zero)) | (i32x4.bitmask(f32x4.ne(v128.load(at, 16), zero)) << 4);
      for (; some; some &= some - 1) {
        store<u32>(entries, i + <u32>ctz(some));
        entries += 4;
      }
    }
    for (; i < n; i++) {
      if (load<f32>(s + ((<usize>i) << 2)) == 0) continue;
      store<u32>(entries, i);
      entries += 4;
    }
    return <u32>((entries - first) >> 2);
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  selectRows<Vectors>(p, unit, units);
}
