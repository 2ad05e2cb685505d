// Product of q4g32m weights with activations R, without vectors. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT, zAt } from "./i8row";
import { finish } from "./linear.scalar";
import { Row } from "./scaled.scalar";
import { start } from "./split";

const GROUP_BYTES: usize = 384;

export function linearQ4m<R extends Row>(op: LinearOp, unit: u32, units: u32): void {
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot<R>(op, t, row));
}

function dot<R extends Row>(op: LinearOp, token: u32, row: u32): f32 {
  const r = changetype<R>(0);
  const x = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const lane = (<usize>(row & 15)) << 2;
  let w = <usize>op.w + <usize>(row >> 4) * bytes + lane;
  let codes = x + CODES_AT;
  let z = x + zAt(op.k);
  let acc: f32 = 0;
  for (const end = w + bytes; w < end; w += GROUP_BYTES) {
    // The words hold −8 · Σx in two halves.
    const all = -((<i32>load<i16>(z) + <i32>load<i16>(z, 2)) >> 3);
    acc += r.scaled(<f32>sum(w + 128, codes) * load<f32>(w) + <f32>all * load<f32>(w, 64), z);
    codes += 32;
    z += r.words();
  }
  return acc * load<f32>(x);
}

/** Σ code · x of one row over 32 codes: 8 of them a step of 4 bytes, low nibbles first. */
function sum(w: usize, x: usize): i32 {
  let s: i32 = 0;
  for (const end = x + 32; x < end; x += 8) {
    for (let j: usize = 0; j < 4; j++) {
      const byte = <i32>load<u8>(w + j);
      s += (byte & 15) * load<i8>(x + j) + (byte >> 4) * load<i8>(x + j, 4);
    }
    w += 64;
  }
  return s;
}
