// Limit of the machine: the relaxed dot product into 16 bits and its addition. 16 multiply-adds an instruction, 2 × 4 accumulators,
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
  let a0 = i16x8.splat(0);
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
    a0 = i16x8.add(a0, i16x8.relaxed_dot_i8x16_i7x16_s(p, v));
    b0 = i16x8.add(b0, i16x8.relaxed_dot_i8x16_i7x16_s(q, v));
    v = v128.load(x, 48);
    a1 = i16x8.add(a1, i16x8.relaxed_dot_i8x16_i7x16_s(p, v));
    b1 = i16x8.add(b1, i16x8.relaxed_dot_i8x16_i7x16_s(q, v));
    v = v128.load(x, 64);
    a2 = i16x8.add(a2, i16x8.relaxed_dot_i8x16_i7x16_s(p, v));
    b2 = i16x8.add(b2, i16x8.relaxed_dot_i8x16_i7x16_s(q, v));
    v = v128.load(x, 80);
    a3 = i16x8.add(a3, i16x8.relaxed_dot_i8x16_i7x16_s(p, v));
    b3 = i16x8.add(b3, i16x8.relaxed_dot_i8x16_i7x16_s(q, v));
  }
  const a = i16x8.add(i16x8.add(a0, a1), i16x8.add(a2, a3));
  const b = i16x8.add(i16x8.add(b0, b1), i16x8.add(b2, b3));
  v128.store(y, i16x8.add(a, b));
}
