// Chains of one multiply-add, for limits of the machine: 2 × 4 accumulators, operands in the first cache. Each of `rows` turns goes once through
// the same x, f32 [1, k], k a multiple of 24; y f32 [rows, 4] takes the sums. The record is that of `copy`. A unit owns whole turns.
import { CopyOp } from "../abi.gen";
import { start } from "./split";

/** A class without fields; changetype<L>(0) calls its methods. */
export interface Link {
  /** acc + p · v. */
  plus(acc: v128, p: v128, v: v128): v128;
  /** a + b, of accumulators. */
  sum(a: v128, b: v128): v128;
}

export function chains<L extends Link>(p: usize, unit: u32, units: u32): void {
  const op = changetype<CopyOp>(p);
  const rows = load<u32>(op.rows);
  const end = start(unit + 1, units, rows);
  for (let r = start(unit, units, rows); r < end; r++) turn<L>(<usize>op.x, (<usize>op.k) << 2, <usize>op.y + ((<usize>r) << 4));
}

function turn<L extends Link>(from: usize, bytes: usize, y: usize): void {
  const link = changetype<L>(0);
  let a0 = i32x4.splat(0);
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
    a0 = link.plus(a0, p, v);
    b0 = link.plus(b0, q, v);
    v = v128.load(x, 48);
    a1 = link.plus(a1, p, v);
    b1 = link.plus(b1, q, v);
    v = v128.load(x, 64);
    a2 = link.plus(a2, p, v);
    b2 = link.plus(b2, q, v);
    v = v128.load(x, 80);
    a3 = link.plus(a3, p, v);
    b3 = link.plus(b3, q, v);
  }
  const a = link.sum(link.sum(a0, a1), link.sum(a2, a3));
  const b = link.sum(link.sum(b0, b1), link.sum(b2, b3));
  v128.store(y, link.sum(a, b));
}
