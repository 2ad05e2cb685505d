// s = f(g), and the neurons to go on with (runtime/ops/select). A unit owns whole rows.
import { activateRow } from "../lib/activation.scalar";
import { Selector, selectRows } from "../lib/select";

class Scalars implements Selector {
  activate(kind: u32, g: usize, y: usize, n: u32): void {
    activateRow(kind, g, 0, y, n);
  }
  count(s: usize, n: u32, least: i32): u32 {
    let many: u32 = 0;
    for (const end = s + ((<usize>n) << 2); s < end; s += 4) many += (load<i32>(s) & 0x7fffffff) >= least ? 1 : 0;
    return many;
  }
  listSome(s: usize, n: u32, entries: usize): u32 {
    let many: u32 = 0;
    for (let i: u32 = 0; i < n; i++) {
      store<u32>(entries + ((<usize>many) << 2), i);
      many += load<f32>(s + ((<usize>i) << 2)) != 0 ? 1 : 0;
    }
    return many;
  }
}

export function kernel(p: usize, unit: u32, units: u32): void {
  selectRows<Scalars>(p, unit, units);
}
