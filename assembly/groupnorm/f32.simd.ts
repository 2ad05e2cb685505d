// LayerNorm of each head of f32 rows [rows, heads·dh]. A unit owns whole rows.
import { GroupnormOp } from "../abi.gen";
import { layerRow } from "../lib/layer.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<GroupnormOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  const bytes = (<usize>op.dh) << 2;
  const width = bytes * op.heads;
  for (let r = start(unit, units, rows); r < end; r++) {
    const x = <usize>op.x + ((<usize>r * op.xs) << 2);
    const y = <usize>op.y + ((<usize>r * op.ys) << 2);
    for (let at: usize = 0; at < width; at += bytes) layerRow(x + at, <usize>op.weight + at, <usize>op.bias + at, y + at, op.dh, op.eps);
  }
}
