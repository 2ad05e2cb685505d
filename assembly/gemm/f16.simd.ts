// As gemv/f16, with the weights converted once for 4 tokens: a tile is 4 rows × 4 tokens. Same bits: each lane adds over k in order.
import { LinearOp } from "../abi.gen";
import { block } from "../gemv/f16.simd";
import { F16_KEEP, F16_REBIAS } from "../lib/constants";
import { finish4, halves } from "../lib/linear.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    for (; t + 4 <= tokens; t += 4) {
      for (let lane: u32 = 0; lane < 16; lane += 4) tile(op, b, lane, t);
    }
    for (; t < tokens; t++) block(op, b, t);
  }
}

/** Rows [16b + lane, + 4) of tokens [t, t + 4). */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  let w = <usize>op.w + ((<usize>b * op.k) << 5) + (lane << 1);
  const keep = v128.load(F16_KEEP);
  const rebias = v128.load(F16_REBIAS);
  const step = (<usize>op.xs) << 2;
  let x = <usize>op.x + <usize>t * step;
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (const end = x + ((<usize>op.k) << 2); x < end; x += 4) {
    const v = halves(w, keep, rebias);
    a0 = f32x4.add(a0, f32x4.mul(v, v128.load32_splat(x)));
    a1 = f32x4.add(a1, f32x4.mul(v, v128.load32_splat(x + step)));
    a2 = f32x4.add(a2, f32x4.mul(v, v128.load32_splat(x + 2 * step)));
    a3 = f32x4.add(a3, f32x4.mul(v, v128.load32_splat(x + 3 * step)));
    w += 32;
  }
  const row = (b << 4) + lane;
  finish4(op, t, row, a0);
  finish4(op, t + 1, row, a1);
  finish4(op, t + 2, row, a2);
  finish4(op, t + 3, row, a3);
}
