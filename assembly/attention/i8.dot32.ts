// Causal grouped-query attention over i8 caches (runtime/ops/kvappend/op.ts has the layout); lib/attend.ts says which unit owns what.
import { AttentionOp } from "../abi.gen";
import { attend } from "../lib/attend";
import { attendCodes, encodeQueries } from "../lib/codedot.simd";
import { Split } from "../lib/codesums.relaxed";
import { finish, fold } from "../lib/fold.simd";

export function kernel(p: usize, unit: u32, units: u32): void {
  attend(p, unit, units, prepare, block, fold, finish);
}

function prepare(op: AttentionOp, row: u32, group: u32, scratch: usize): void {
  encodeQueries<Split>(op, row, group, scratch);
}

function block(op: AttentionOp, row: u32, group: u32, lo: u32, hi: u32, scratch: usize, part: usize, apart: usize): void {
  attendCodes<Split>(op, row, group, lo, hi, scratch, part, apart);
}
