// Stored bytes as numbers: y = (byte + 128 − zero) · factor, y f32 [rows, k]. A unit owns whole rows.
import { DequantiseOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<DequantiseOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++)
    for (let i: usize = 0; i < op.k; i++) store<f32>(op.y + ((<usize>r * op.ys + i) << 2), <f32>(<i32>load<i8>(op.x + <usize>r * op.xs + i) + 128 - <i32>op.zero) * op.factor);
}
