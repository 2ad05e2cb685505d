// Product of q4g32 and q4g128 weights with activations R, without vectors.
import { LinearOp } from "../abi.gen";
import { CODES_AT, zAt } from "./i8row";
import { finish, scale } from "./linear.scalar";
import { Row } from "./scaled.scalar";
import { start } from "./split";

export function linearQ4<R extends Row>(op: LinearOp, group: usize, unit: u32, units: u32): void {
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot<R>(op, group, t, row));
}

function dot<R extends Row>(op: LinearOp, group: usize, token: u32, row: u32): f32 {
  const r = changetype<R>(0);
  const x = <usize>op.x + <usize>token * op.xs;
  const stride = 32 + group * 8;
  const groups = (<usize>op.k + group - 1) / group;
  let w = <usize>op.w + <usize>(row >> 4) * groups * stride;
  let codes = x + CODES_AT;
  let z = x + zAt(op.k);
  let acc: f32 = 0;
  for (const end = w + groups * stride; w < end; w += stride) {
    acc += r.scaled(<f32>sum(w + 32 + ((row & 15) << 2), codes, codes + group) * scale(w + ((row & 15) << 1)), z);
    codes += group;
    z += (group >> 5) * r.words();
  }
  return acc * load<f32>(x);
}

/** Σ code · x of one row over the codes [x, end): 8 of them a step of 4 bytes, low nibbles first. */
function sum(w: usize, x: usize, end: usize): i32 {
  let s: i32 = 0;
  for (; x < end; x += 8) {
    for (let j: usize = 0; j < 4; j++) {
      const byte = <i32>load<u8>(w + j);
      s += ((byte & 15) - 8) * load<i8>(x + j) + ((byte >> 4) - 8) * load<i8>(x + j, 4);
    }
    w += 64;
  }
  return s;
}
