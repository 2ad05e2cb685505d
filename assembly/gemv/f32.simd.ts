// y = x Wᵀ (+ bias) (+ residual); W f32 in blocks [k][16 rows], x f32. A unit owns blocks of 16 rows, for all tokens.
// Lanes are rows and k runs in order, so every build adds in the same order.
import { LinearOp } from "../abi.gen";
import { finish4 } from "../lib/linear.simd";
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
  let w = <usize>op.w + ((<usize>b * op.k) << 6);
  let x = <usize>op.x + ((<usize>token * op.xs) << 2);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
    const v = v128.load32_splat(x);
    f0 = f32x4.add(f0, f32x4.mul(v128.load(w), v));
    f1 = f32x4.add(f1, f32x4.mul(v128.load(w, 16), v));
    f2 = f32x4.add(f2, f32x4.mul(v128.load(w, 32), v));
    f3 = f32x4.add(f3, f32x4.mul(v128.load(w, 48), v));
    w += 64;
  }
  const row = b << 4;
  finish4(op, token, row, f0);
  finish4(op, token, row + 4, f1);
  finish4(op, token, row + 8, f2);
  finish4(op, token, row + 12, f3);
}
