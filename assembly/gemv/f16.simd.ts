// y = x Wᵀ (+ bias) (+ residual); W f16 in blocks [k][16 rows], x f32. A unit owns blocks of 16 rows, for all tokens.
// Lanes are rows and k runs in order, so every build adds in the same order.
import { LinearOp } from "../abi.gen";
import { F16_KEEP, F16_REBIAS } from "../lib/constants";
import { finish4, halves } from "../lib/linear.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) block(op, b, t);
}

/** 16 rows of one token. */
export function block(op: LinearOp, b: u32, token: u32): void {
  let w = <usize>op.w + ((<usize>b * op.k) << 5);
  let x = <usize>op.x + ((<usize>token * op.xs) << 2);
  const keep = v128.load(F16_KEEP);
  const rebias = v128.load(F16_REBIAS);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
    const v = v128.load32_splat(x);
    f0 = f32x4.add(f0, f32x4.mul(halves(w, keep, rebias), v));
    f1 = f32x4.add(f1, f32x4.mul(halves(w + 8, keep, rebias), v));
    f2 = f32x4.add(f2, f32x4.mul(halves(w + 16, keep, rebias), v));
    f3 = f32x4.add(f3, f32x4.mul(halves(w + 24, keep, rebias), v));
    w += 32;
  }
  const row = b << 4;
  finish4(op, token, row, f0);
  finish4(op, token, row + 4, f1);
  finish4(op, token, row + 8, f2);
  finish4(op, token, row + 12, f3);
}
