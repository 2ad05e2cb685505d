// y = x Wᵀ (+ bias) (+ residual); W q4s24, x u7tok. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT, ZERO_AT } from "../lib/i8row";
import { finish, scale } from "../lib/linear.scalar";
import { start } from "../lib/split";
import { window4 } from "../lib/window.scalar";

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
  const zero = load<i32>(x, ZERO_AT);
  const bytes = ((<usize>op.k + 127) >> 7) * 832;
  const head = <usize>op.w + <usize>(row >> 4) * bytes;
  let codes = x + CODES_AT;
  let acc: f32 = 0;
  for (let group = head; group < head + bytes; group += 832) {
    let sum = -zero * load<i16>(group + (r << 1), 32);
    for (let w = group + 64; w < group + 832; w += 48) {
      sum += window4(w + ((r & 3) << 2), <u32>r >> 2, w + 16 + ((r >> 3) << 4) + ((r & 3) << 2), <u32>r & 4, codes);
      codes += 8;
    }
    acc += <f32>sum * scale(group + (r << 1));
  }
  return acc * load<f32>(x);
}
