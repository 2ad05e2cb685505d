// y = x Wᵀ (+ bias) (+ residual); W f16 in blocks [k][16 rows], x f32. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { finish, half } from "../lib/linear.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, t, row));
}

function dot(op: LinearOp, token: u32, row: u32): f32 {
  let w = <usize>op.w + ((((<usize>(row >> 4) * op.k) << 4) + (row & 15)) << 1);
  let x = <usize>op.x + ((<usize>token * op.xs) << 2);
  let acc: f32 = 0;
  for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
    acc += half(w) * load<f32>(x);
    w += 32;
  }
  return acc;
}
