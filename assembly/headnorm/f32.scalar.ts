// RMSNorm of each head of f32 rows [rows, heads·dh], in place. A unit owns whole rows.
import { HeadnormOp } from "../abi.gen";
import { rmsRow } from "../lib/rms.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<HeadnormOp>(p);
  const rows = load<u32>(op.rows);
  const bytes = (<usize>op.dh) << 2;
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    let x = <usize>op.x + ((<usize>r * op.xs) << 2);
    for (let h: u32 = 0; h < op.heads; h++) {
      rmsRow(x, op.weight, x, op.dh, op.eps, op.offset);
      x += bytes;
    }
  }
}
