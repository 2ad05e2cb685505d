// Products of rows of q4n weights with i8tok activations: a row lies in one piece, so lanes are places along k and are added up at its end.
import { LinearOp } from "../abi.gen";
import { NIBBLE } from "./constants";
import { CODES_AT, panelAt, zAt } from "./i8row";
import { finish } from "./linear.scalar";
import { finish4 } from "./linear.simd";
import { entriesOf, rowAt, rowBytes, rowOf, scaleAt, touch } from "./q4n";
import { RowCodes } from "./rowcodes.simd";
import { start } from "./split";

/** Rows of a list that are brought near at a time: many, so that their pages are looked up at once. */
const BATCH: u32 = 64;
/** Rows between those that are multiplied and those that are brought near, where all are done. */
const AHEAD: u32 = 8;

/** `gemv`: the rows of a set, or all, four at a time. */
export function streamRows<C extends RowCodes>(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const entries = entriesOf(op.only);
  const many = entries ? load<u32>(op.only) : op.n;
  const fours = (many + 3) >> 2;
  const end = start(unit + 1, units, fours) << 2;
  for (let t: u32 = 0; t < tokens; t++) {
    const x = <usize>op.x + <usize>t * op.xs;
    const zero = zeroOf(x, op.k);
    let near: u32 = 0;
    for (let i = start(unit, units, fours) << 2; i < end; i += 4) {
      if (entries && i >= near) {
        near = i + BATCH;
        touchRows(op, entries, i, min(near, many));
      }
      four<C>(op, t, x, zero, entries, i, many);
    }
  }
}

function touchRows(op: LinearOp, entries: usize, from: u32, end: u32): void {
  for (let i = from; i < end; i++) load<u8>(scaleAt(op.w, rowOf(entries, i), op.k));
  for (let i = from; i < end; i++) touch(rowAt(op.w, rowOf(entries, i), op.k), rowBytes(op.k));
}

/** −8 · Σ of the token's codes: codes are stored plus 8. */
export function zeroOf(x: usize, k: u32): i32 {
  let s = i32x4.splat(0);
  for (let z = x + zAt(k), end = z + ((panelAt(k) - zAt(k)) & ~15); z < end; z += 16) s = i32x4.add(s, i32x4.extadd_pairwise_i16x8_s(v128.load(z)));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1);
}

/** Rows i … i + 3 of those to be done, as far as there are `many`, of one token. */
function four<C extends RowCodes>(op: LinearOp, t: u32, x: usize, zero: i32, entries: usize, i: u32, many: u32): void {
  const c = changetype<C>(0);
  const last = many - 1;
  const r0 = rowOf(entries, i);
  const r1 = rowOf(entries, min(i + 1, last));
  const r2 = rowOf(entries, min(i + 2, last));
  const r3 = rowOf(entries, min(i + 3, last));
  let w0 = rowAt(op.w, r0, op.k);
  let w1 = rowAt(op.w, r1, op.k);
  let w2 = rowAt(op.w, r2, op.k);
  let w3 = rowAt(op.w, r3, op.k);
  const low = v128.load(NIBBLE);
  // a line for each 16 codes of four rows: as many as they have
  let ahead = w0;
  const line: usize = !entries && i + AHEAD + 4 <= many ? 64 : 0;
  if (line) ahead += rowBytes(op.k) * AHEAD;
  let codes = x + CODES_AT;
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  for (let left = rowBytes(op.k); left; ) {
    const run = min(left, c.run());
    left -= run;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (const stop = w0 + run; w0 < stop; w0 += 16) {
      load<u8>(ahead);
      ahead += line;
      let v = v128.load(w0);
      a0 = c.plus(a0, codes, v128.and(v, low), v128.and(i16x8.shr_u(v, 4), low));
      v = v128.load(w1);
      a1 = c.plus(a1, codes, v128.and(v, low), v128.and(i16x8.shr_u(v, 4), low));
      v = v128.load(w2);
      a2 = c.plus(a2, codes, v128.and(v, low), v128.and(i16x8.shr_u(v, 4), low));
      v = v128.load(w3);
      a3 = c.plus(a3, codes, v128.and(v, low), v128.and(i16x8.shr_u(v, 4), low));
      w1 += 16;
      w2 += 16;
      w3 += 16;
      codes += 32;
    }
    s0 = i32x4.add(s0, c.total(a0));
    s1 = i32x4.add(s1, c.total(a1));
    s2 = i32x4.add(s2, c.total(a2));
    s3 = i32x4.add(s3, c.total(a3));
  }
  const sums = i32x4.add(across(s0, s1, s2, s3), i32x4.splat(zero));
  if (!entries && i + 4 <= many) {
    finish4(op, t, r0, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(scaleAt(op.w, r0, op.k))), v128.load32_splat(x)));
    return;
  }
  const times = load<f32>(x);
  one(op, t, r0, i32x4.extract_lane(sums, 0), times);
  if (i + 1 < many) one(op, t, r1, i32x4.extract_lane(sums, 1), times);
  if (i + 2 < many) one(op, t, r2, i32x4.extract_lane(sums, 2), times);
  if (i + 3 < many) one(op, t, r3, i32x4.extract_lane(sums, 3), times);
}

function one(op: LinearOp, t: u32, row: u32, sum: i32, times: f32): void {
  finish(op, t, row, <f32>sum * load<f32>(scaleAt(op.w, row, op.k)) * times);
}

/** Lane i: the sum of the lanes of vector i. */
export function across(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}
