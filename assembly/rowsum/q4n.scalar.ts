// y = x W · channels (+ bias) of the rows of W picked, or of all; W q4n, x i8tok. A unit owns runs of 32 channels, for all tokens.
import { RowsumOp } from "../abi.gen";
import { CODES_AT } from "../lib/i8row";
import { entriesOf, isCompact, rowAt } from "../lib/q4n";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<RowsumOp>(p);
  const tokens = load<u32>(op.rows);
  const runs = (op.k + 31) >> 5;
  const first = start(unit, units, runs) << 5;
  const end = min(start(unit + 1, units, runs) << 5, op.k);
  for (let t: u32 = 0; t < tokens; t++) for (let c = first; c < end; c++) finish(op, t, c);
}

function finish(op: RowsumOp, t: u32, c: u32): void {
  const at = (<usize>c) << 2;
  const x = <usize>op.x + <usize>t * op.xs;
  const f = <f32>sum(op, x + CODES_AT, c) * load<f32>(<usize>op.channels + at) * load<f32>(x);
  store<f32>(<usize>op.y + ((<usize>t * op.ys) << 2) + at, op.bias ? f + load<f32>(<usize>op.bias + at) : f);
}

function sum(op: RowsumOp, codes: usize, c: u32): i32 {
  const compact = isCompact(op.picks);
  const w = compact ? op.compact : op.w;
  const entries = entriesOf(op.picks);
  const many = compact || entries ? load<u32>(op.picks) : op.n;
  const byte = ((<usize>(c >> 5)) << 4) + (c & 15);
  const shift = (c & 16) >> 2;
  let s: i32 = 0;
  for (let j: u32 = 0; j < many; j++) {
    const row = entries ? <usize>w + load<u32>(entries + ((<usize>j) << 2)) : rowAt(w, j, op.k);
    s += <i32>load<i8>(codes + j) * (((<i32>load<u8>(row + byte) >> shift) & 15) - 8);
  }
  return s;
}
