// y = x Wᵀ (+ bias) (+ residual); W t2, x i8tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT } from "../lib/i8row";
import { finish, scale } from "../lib/linear.scalar";
import { start } from "../lib/split";
import { CODES, code, GROUP, GROUP_BYTES } from "../lib/t2.scalar";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, t, row));
}

function dot(op: LinearOp, token: u32, row: u32): f32 {
  const x = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + GROUP - 1) / GROUP) * GROUP_BYTES;
  let w = <usize>op.w + <usize>(row >> 4) * bytes;
  let codes = x + CODES_AT;
  let acc: f32 = 0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    let sum: i32 = 0;
    for (let i: usize = 0; i < GROUP; i++) sum += code(w + CODES + ((row & 15) << 2), i) * load<i8>(codes + i);
    acc += <f32>sum * scale(w + ((row & 15) << 1));
    codes += GROUP;
  }
  return acc * load<f32>(x);
}
