// Appends f32 rows of keys and values to f32 caches [heads, capacity, dh]; memory.copy is the engine's own vector code in every build.
// A unit owns whole rows.
import { KvappendOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<KvappendOp>(p);
  const rows = load<u32>(op.rows);
  const pos = load<u32>(op.pos);
  const bytes = (<usize>op.dh) << 2;
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    for (let h: u32 = 0; h < op.heads; h++) {
      const from = <usize>h * bytes;
      const to = (<usize>h * op.capacity + pos + r) * bytes;
      memory.copy(<usize>op.kcache + to, <usize>op.k + ((<usize>r * op.ks) << 2) + from, bytes);
      memory.copy(<usize>op.vcache + to, <usize>op.v + ((<usize>r * op.vs) << 2) + from, bytes);
    }
  }
}
