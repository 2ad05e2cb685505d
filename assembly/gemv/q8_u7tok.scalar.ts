// y = x Wᵀ (+ bias) (+ residual); W q8, x u7tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT, ZERO_AT } from "../lib/i8row";
import { finish } from "../lib/linear.scalar";
import { dot8, HEAD, SUMS_AT } from "../lib/q8.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, t, row));
}

/** Codes of x have no sign bit, so that they may be read as i8. */
function dot(op: LinearOp, token: u32, row: u32): f32 {
  const x = <usize>op.x + <usize>token * op.xs;
  const kp = (<usize>op.k + 31) & ~31;
  const w = <usize>op.w + <usize>(row >> 4) * ((kp << 4) + HEAD) + ((row & 15) << 2);
  const sum = dot8(w + HEAD, x + CODES_AT, x + CODES_AT + kp) - load<i32>(x, ZERO_AT) * load<i32>(w, SUMS_AT);
  return <f32>sum * load<f32>(w) * load<f32>(x);
}
