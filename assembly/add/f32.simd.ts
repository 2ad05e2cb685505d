// y = a + b, f32 [rows, k]. A unit owns whole rows.
import { AddOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<AddOp>(p);
  const rows = load<u32>(op.rows);
  const first = start(unit, units, rows);
  const end = start(unit + 1, units, rows);
  const bytes = (<usize>op.k) << 2;
  for (let r = first; r < end; r++) {
    const a = <usize>op.a + ((<usize>r * op.sa) << 2);
    const b = <usize>op.b + ((<usize>r * op.sb) << 2);
    const y = <usize>op.y + ((<usize>r * op.ys) << 2);
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
    for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(a + i) + load<f32>(b + i));
  }
}
