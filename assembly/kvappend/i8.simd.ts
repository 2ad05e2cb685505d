// Appends f32 rows of keys and values to i8 caches: codes [heads, capacity, dh], then f32 scales [heads, capacity]. A unit owns whole rows.
import { KvappendOp } from "../abi.gen";
import { storeCodes } from "../lib/codes.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<KvappendOp>(p);
  const rows = load<u32>(op.rows);
  const pos = load<u32>(op.pos);
  const dh = <usize>op.dh;
  const scales = <usize>op.heads * op.capacity * dh;
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    for (let h: u32 = 0; h < op.heads; h++) {
      const from = <usize>h * dh;
      const to = <usize>h * op.capacity + pos + r;
      storeCodes(<usize>op.k + ((<usize>r * op.ks + from) << 2), op.dh, <usize>op.kcache + to * dh, <usize>op.kcache + scales + (to << 2));
      storeCodes(<usize>op.v + ((<usize>r * op.vs + from) << 2), op.dh, <usize>op.vcache + to * dh, <usize>op.vcache + scales + (to << 2));
    }
  }
}
