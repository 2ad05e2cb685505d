// Appends f32 rows of keys and values to f16 caches [heads, capacity, dh]. A unit owns whole rows.
import { KvappendOp } from "../abi.gen";
import { storeHalves } from "../lib/half.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<KvappendOp>(p);
  const rows = load<u32>(op.rows);
  const pos = load<u32>(op.pos);
  const dh = <usize>op.dh;
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    for (let h: u32 = 0; h < op.heads; h++) {
      const from = <usize>h * dh;
      const to = ((<usize>h * op.capacity + pos + r) * dh) << 1;
      storeHalves(<usize>op.k + ((<usize>r * op.ks + from) << 2), dh, <usize>op.kcache + to);
      storeHalves(<usize>op.v + ((<usize>r * op.vs + from) << 2), dh, <usize>op.vcache + to);
    }
  }
}
