// As rowdot.simd.ts for several tokens: codes of two rows are unpacked once for four tokens. All rows; same bits.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT } from "./i8row";
import { finish } from "./linear.scalar";
import { entriesOf, isCompact, rowAt, rowBytes, scaleAt } from "./q4n";
import { RowCodes } from "./rowcodes.simd";
import { across, streamRows, zeroOf } from "./rowdot.simd";
import { start } from "./split";

const TOKENS: u32 = 4;

/** `gemm`: tiles of 2 rows and 4 tokens; what is left over of either is done once more with its neighbour. Lists are for one token. */
export function tileRows<C extends RowCodes>(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  if (entriesOf(op.only) || isCompact(op.only)) {
    streamRows<C>(p, unit, units);
    return;
  }
  const tokens = load<u32>(op.rows);
  const pairs = (op.n + 1) >> 1;
  const first = start(unit, units, pairs) << 1;
  const end = start(unit + 1, units, pairs) << 1;
  for (let t: u32 = 0; t < tokens; t += TOKENS) for (let row = first; row < end; row += 2) tile<C>(op, t, tokens - 1, row);
}

function tile<C extends RowCodes>(op: LinearOp, t: u32, lastToken: u32, row: u32): void {
  const c = changetype<C>(0);
  const x0 = <usize>op.x + <usize>t * op.xs;
  const x1 = <usize>op.x + <usize>min(t + 1, lastToken) * op.xs;
  const x2 = <usize>op.x + <usize>min(t + 2, lastToken) * op.xs;
  const x3 = <usize>op.x + <usize>min(t + 3, lastToken) * op.xs;
  const other = min(row + 1, op.n - 1);
  const low = v128.load(NIBBLE);
  let w = rowAt(op.w, row, op.k);
  let v = rowAt(op.w, other, op.k);
  let k: usize = CODES_AT;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let q0 = s0;
  let q1 = s0;
  let q2 = s0;
  let q3 = s0;
  for (let left = rowBytes(op.k); left; ) {
    const run = min(left, c.run() >> 1);
    left -= run;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (const stop = w + run; w < stop; w += 16) {
      const wl = v128.and(v128.load(w), low);
      const wh = v128.and(i16x8.shr_u(v128.load(w), 4), low);
      const vl = v128.and(v128.load(v), low);
      const vh = v128.and(i16x8.shr_u(v128.load(v), 4), low);
      a0 = c.plus(c.plus(a0, x0 + k, wl), x0 + k + 16, wh);
      b0 = c.plus(c.plus(b0, x0 + k, vl), x0 + k + 16, vh);
      a1 = c.plus(c.plus(a1, x1 + k, wl), x1 + k + 16, wh);
      b1 = c.plus(c.plus(b1, x1 + k, vl), x1 + k + 16, vh);
      a2 = c.plus(c.plus(a2, x2 + k, wl), x2 + k + 16, wh);
      b2 = c.plus(c.plus(b2, x2 + k, vl), x2 + k + 16, vh);
      a3 = c.plus(c.plus(a3, x3 + k, wl), x3 + k + 16, wh);
      b3 = c.plus(c.plus(b3, x3 + k, vl), x3 + k + 16, vh);
      v += 16;
      k += 32;
    }
    s0 = i32x4.add(s0, c.total(a0));
    s1 = i32x4.add(s1, c.total(a1));
    s2 = i32x4.add(s2, c.total(a2));
    s3 = i32x4.add(s3, c.total(a3));
    q0 = i32x4.add(q0, c.total(b0));
    q1 = i32x4.add(q1, c.total(b1));
    q2 = i32x4.add(q2, c.total(b2));
    q3 = i32x4.add(q3, c.total(b3));
  }
  const times = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(v128.load32_splat(x0), 1, load<f32>(x1)), 2, load<f32>(x2)), 3, load<f32>(x3));
  const zeros = i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(zeroOf(x0, op.k)), 1, zeroOf(x1, op.k)), 2, zeroOf(x2, op.k)), 3, zeroOf(x3, op.k));
  store4(op, t, lastToken, row, i32x4.add(across(s0, s1, s2, s3), zeros), times);
  if (other != row) store4(op, t, lastToken, other, i32x4.add(across(q0, q1, q2, q3), zeros), times);
}

/** One row of tokens t … t + 3, as far as there are any. */
function store4(op: LinearOp, t: u32, lastToken: u32, row: u32, sums: v128, times: v128): void {
  const f = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load32_splat(scaleAt(op.w, row, op.k))), times);
  finish(op, t, row, f32x4.extract_lane(f, 0));
  if (t + 1 <= lastToken) finish(op, t + 1, row, f32x4.extract_lane(f, 1));
  if (t + 2 <= lastToken) finish(op, t + 2, row, f32x4.extract_lane(f, 2));
  if (t + 3 <= lastToken) finish(op, t + 3, row, f32x4.extract_lane(f, 3));
}
