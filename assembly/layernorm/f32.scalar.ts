// LayerNorm of f32 rows [rows, k] into f32 rows. A unit owns whole rows.
import { LayernormOp } from "../abi.gen";
import { layerRow } from "../lib/layer.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LayernormOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) {
    layerRow(<usize>op.x + ((<usize>r * op.xs) << 2), op.weight, op.bias, <usize>op.y + ((<usize>r * op.ys) << 2), op.k, op.eps);
  }
}
