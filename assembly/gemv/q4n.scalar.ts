// y = x Wᵀ (+ bias) (+ residual) of the rows of W in a list, or of all; W q4n, x i8tok. A unit owns rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { CODES_AT } from "../lib/i8row";
import { finish } from "../lib/linear.scalar";
import { entriesOf, isCompact, rowAt, rowBytes, rowOf, scaleAt } from "../lib/q4n";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const compact = isCompact(op.only);
  const w = compact ? op.compact : op.w;
  const entries = compact ? 0 : entriesOf(op.only);
  const many = compact || entries ? load<u32>(op.only) : op.n;
  const end = start(unit + 1, units, many);
  for (let i = start(unit, units, many); i < end; i++) {
    const row = rowOf(entries, i);
    for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, w, t, row));
  }
}

function dot(op: LinearOp, w: usize, token: u32, row: u32): f32 {
  const x = <usize>op.x + <usize>token * op.xs;
  return <f32>sum(rowAt(w, row, op.k), x + CODES_AT, rowBytes(op.k)) * load<f32>(scaleAt(w, row, op.k)) * load<f32>(x);
}

/** Σ code · x of a row of `bytes` bytes. */
function sum(w: usize, x: usize, bytes: usize): i32 {
  let s: i32 = 0;
  for (const end = w + bytes; w < end; w += 16) {
    for (let j: usize = 0; j < 16; j++) {
      const byte = <i32>load<u8>(w + j);
      s += ((byte & 15) - 8) * load<i8>(x + j) + ((byte >> 4) - 8) * load<i8>(x + j, 16);
    }
    x += 32;
  }
  return s;
}
