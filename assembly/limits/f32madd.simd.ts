// Limit of the machine: the f32 product and its addition. 4 multiply-adds an instruction, 2 × 4 accumulators,
// operands in the first cache. Each of `rows` turns goes once through the same x, f32 [1, k], k a multiple of 24; y f32 [rows, 4] takes
// the sums. The record is that of `copy`. A unit owns whole turns.
import { CopyOp } from "../abi.gen";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<CopyOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) turn(<usize>op.x, (<usize>op.k) << 2, <usize>op.y + ((<usize>r) << 4));
}

function turn(from: usize, bytes: usize, y: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (let x = from, end = from + bytes; x < end; x += 96) {
    const p = v128.load(x);
    const q = v128.load(x, 16);
    let v = v128.load(x, 32);
    a0 = f32x4.add(a0, f32x4.mul(p, v));
    b0 = f32x4.add(b0, f32x4.mul(q, v));
    v = v128.load(x, 48);
    a1 = f32x4.add(a1, f32x4.mul(p, v));
    b1 = f32x4.add(b1, f32x4.mul(q, v));
    v = v128.load(x, 64);
    a2 = f32x4.add(a2, f32x4.mul(p, v));
    b2 = f32x4.add(b2, f32x4.mul(q, v));
    v = v128.load(x, 80);
    a3 = f32x4.add(a3, f32x4.mul(p, v));
    b3 = f32x4.add(b3, f32x4.mul(q, v));
  }
  const a = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3));
  const b = f32x4.add(f32x4.add(b0, b1), f32x4.add(b2, b3));
  v128.store(y, f32x4.add(a, b));
}
