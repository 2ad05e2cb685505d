// y = x Wᵀ (+ bias) (+ residual); W q161, x split161. A unit owns blocks of 16 rows, for all tokens.
import { LinearOp } from "../abi.gen";
import { finish, half } from "../lib/linear.scalar";
import * as Q from "../lib/q161";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const last = min<u32>(start(unit + 1, units, blocks) << 4, op.n);
  for (let row = start(unit, units, blocks) << 4; row < last; row++) for (let t: u32 = 0; t < tokens; t++) finish(op, t, row, dot(op, t, row));
}

/** (B · p + Σx · q) · scale of the binary columns + (D · s) · scale of the salient ones, B = Σ ±x, D = Σ (code − zero) · x. */
function dot(op: LinearOp, token: u32, row: u32): f32 {
  const at = <usize>op.x + <usize>token * op.xs;
  const block = <usize>op.w + <usize>(row >> 4) * Q.blockBytes(op.k);
  const r = <usize>row & 15;
  let w = block + Q.RUNS_AT + (r << 2);
  let x = at + Q.binaryAt(op.k);
  let y = at + Q.SALIENT_AT;
  let codes = Q.codeBytes(op.k);
  let plus: i32 = 0;
  let d: i32 = 0;
  for (let signs = Q.signBytes(op.k); signs > 0; ) {
    const s = min<usize>(signs, Q.RUN_BYTES);
    plus += signSum(w, s, x);
    w += s;
    x += s >> 1;
    signs -= s;
    const c = min<usize>(codes, Q.RUN_BYTES);
    d += codeSum(w, c, y);
    w += c;
    y += c >> 3;
    codes -= c;
  }
  const all = load<i32>(at, Q.BINARY_SUM);
  d -= <i32>load<u8>(block + Q.ZERO_AT + r) * load<i32>(at, Q.SALIENT_SUM);
  const factors = block + (r << 1);
  const signed: i32 = plus + plus - all;
  const b = (<f32>signed * half(factors + Q.P_AT) + <f32>all * half(factors + Q.Q_AT)) * load<f32>(at, Q.BINARY_SCALE);
  return b + <f32>d * half(factors + Q.S_AT) * load<f32>(at, Q.SALIENT_SCALE);
}

/** Σ x where the sign is +1, over a row's groups of 32 in `bytes` bytes of all rows. */
function signSum(w: usize, bytes: usize, x: usize): i32 {
  let s: i32 = 0;
  for (const end = w + bytes; w < end; w += Q.GROUP_BYTES) {
    for (let i: usize = 0; i < 32; i++) if ((load<u8>(w + (i & 3)) >> <u8>(i >> 2)) & 1) s += load<i8>(x + i);
    x += 32;
  }
  return s;
}

/** Σ code · x over a row's groups of 8 in `bytes` bytes of all rows. */
function codeSum(w: usize, bytes: usize, x: usize): i32 {
  let s: i32 = 0;
  for (const end = w + bytes; w < end; w += Q.GROUP_BYTES) {
    for (let j: usize = 0; j < 4; j++) {
      const byte = <i32>load<u8>(w + j);
      s += (byte & 15) * load<i8>(x + j) + (byte >> 4) * load<i8>(x + j, 4);
    }
    x += 8;
  }
  return s;
}
