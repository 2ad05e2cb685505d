// Rotary position embedding in place, f32 rows [rows, heads·dh]. A unit owns whole rows.
import { RopeOp } from "../abi.gen";
import { rotateHalves, rotatePairs } from "../lib/rotate.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<RopeOp>(p);
  const rows = load<u32>(op.rows);
  const pos = load<u32>(op.pos);
  const half = op.rot >> 1;
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    const cos = <usize>op.table + ((<usize>(pos + r) * op.rot) << 2);
    let x = <usize>op.x + ((<usize>r * op.xs) << 2);
    for (let h: u32 = 0; h < op.heads; h++) {
      if (op.pairing) rotatePairs(x, cos, half);
      else rotateHalves(x, cos, half);
      x += (<usize>op.dh) << 2;
    }
  }
}
