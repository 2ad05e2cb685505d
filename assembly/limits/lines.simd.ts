// Limit of the machine: fetching memory. As `read`, but of each 64 bytes only 16 are loaded: what memory delivers where no instruction is in
// its way. x f32 [rows, k], k a multiple of 64; y f32 [rows, 4] takes the sums. The record is that of `copy`. A unit owns whole rows.
import { CopyOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<CopyOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) touch(<usize>op.x + ((<usize>r * op.xs) << 2), (<usize>op.k) << 2, <usize>op.y + ((<usize>r) << 4));
}

function touch(from: usize, bytes: usize, y: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (let x = from, end = from + bytes; x < end; x += 256) {
    a0 = i32x4.add(a0, v128.load(x));
    a1 = i32x4.add(a1, v128.load(x, 64));
    a2 = i32x4.add(a2, v128.load(x, 128));
    a3 = i32x4.add(a3, v128.load(x, 192));
  }
  v128.store(y, i32x4.add(i32x4.add(a0, a1), i32x4.add(a2, a3)));
}
