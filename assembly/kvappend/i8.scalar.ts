// Appends f32 rows of keys and values to i8 caches (runtime/ops/kvappend/op.ts has the layout). A unit owns whole rows.
import { KvappendOp } from "../abi.gen";
import { storeKey, storeValue } from "../lib/codes.scalar";
import { keyAt, positionsOf, scaleAt, sumBehindScale, valueAt } from "../lib/i8cache";
import { paddedHead } from "../lib/part";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<KvappendOp>(p);
  const rows = load<u32>(op.rows);
  const pos = load<u32>(op.pos);
  const dhp = paddedHead(op.dh);
  const positions = positionsOf(op.capacity);
  const toSum = sumBehindScale(op.heads, positions);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    for (let h: u32 = 0; h < op.heads; h++) {
      const from = <usize>h * op.dh;
      const codes = <usize>h * positions * dhp;
      const kscale = <usize>op.kcache + scaleAt(op.heads, positions, dhp, h, pos + r);
      const vscale = kscale + op.vcache - op.kcache;
      storeKey(<usize>op.k + ((<usize>r * op.ks + from) << 2), op.dh, dhp, <usize>op.kcache + codes + keyAt(pos + r, dhp), kscale, kscale + toSum);
      storeValue(<usize>op.v + ((<usize>r * op.vs + from) << 2), op.dh, dhp, <usize>op.vcache + codes + valueAt(pos + r, dhp), vscale, vscale + toSum);
    }
  }
}
