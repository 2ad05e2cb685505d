// y[r] = scale * table[tokens[r]], table f32 in blocks of 16 rows [vocab/16][k][16]. A unit owns whole rows of y.
import { EmbedOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<EmbedOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    const token = load<u32>(<usize>op.tokens + (<usize>r << 2));
    const row = <usize>op.table + (((<usize>(token >> 4) * op.k << 4) + (token & 15)) << 2);
    const y = <usize>op.y + ((<usize>r * op.ys) << 2);
    for (let i: usize = 0; i < <usize>op.k; i++) store<f32>(y + (i << 2), load<f32>(row + (i << 6)) * op.scale);
  }
}
