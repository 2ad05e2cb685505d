// y = x Wᵀ (+ bias) (+ residual); W q8s24, x u7tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT, ZERO_AT } from "../lib/i8row";
import { finish } from "../lib/linear.scalar";
import { HEAD, SUMS_AT } from "../lib/q8.scalar";
import { start } from "../lib/split";
import { window8 } from "../lib/window.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, t, row));
}

function dot(op: LinearOp, token: u32, row: u32): f32 {
  const x = <usize>op.x + <usize>token * op.xs;
  const r = <usize>row & 15;
  const bytes = (((<usize>op.k + 31) & ~31) >> 3) * 80 + HEAD;
  const head = <usize>op.w + <usize>(row >> 4) * bytes;
  let codes = x + CODES_AT;
  let sum: i32 = 0;
  for (let w = head + HEAD; w < head + bytes; w += 80) {
    sum += window8(w + ((r & 3) << 2), <u32>r >> 2, w + 16 + (r << 2), codes);
    codes += 8;
  }
  sum -= load<i32>(x, ZERO_AT) * load<i32>(head + (r << 2), SUMS_AT);
  return <f32>sum * load<f32>(head + (r << 2)) * load<f32>(x);
}
