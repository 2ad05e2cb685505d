// Product of q8g32 weights with activations R, without vectors. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT, zAt } from "./i8row";
import { finish, scale } from "./linear.scalar";
import { dot8 } from "./q8.scalar";
import { Row } from "./scaled.scalar";
import { start } from "./split";

const GROUP_BYTES: usize = 544;

export function linearQ8g32<R extends Row>(op: LinearOp, unit: u32, units: u32): void {
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot<R>(op, t, row));
}

function dot<R extends Row>(op: LinearOp, token: u32, row: u32): f32 {
  const r = changetype<R>(0);
  const x = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  let w = <usize>op.w + <usize>(row >> 4) * bytes;
  let codes = x + CODES_AT;
  let z = x + zAt(op.k);
  let acc: f32 = 0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    acc += r.scaled(<f32>dot8(w + 32 + ((row & 15) << 2), codes, codes + 32) * scale(w + ((row & 15) << 1)), z);
    codes += 32;
    z += r.words();
  }
  return acc * load<f32>(x);
}
