// As gemv/q8_u7tok, each weight read once for 4 tokens: a tile is 8 rows × 4 tokens. Same bits.
import { LinearOp } from "../abi.gen";
import { block, centred, quads } from "../gemv/q8_u7tok.relaxed";
import { I16_ONE } from "../lib/constants";
import { CODES_AT, ZERO_AT } from "../lib/i8row";
import { finish4, product } from "../lib/linear.simd";
import { HEAD } from "../lib/q8.scalar";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) {
    let t: u32 = 0;
    for (; t + 4 <= tokens; t += 4) {
      tile(op, b, 0, t);
      tile(op, b, 8, t);
    }
    for (; t < tokens; t++) block(op, b, t);
  }
}

/** Rows [16b + lane, + 8) of tokens [t, t + 4). */
function tile(op: LinearOp, b: u32, lane: u32, t: u32): void {
  const step = <usize>op.xs;
  const token = <usize>op.x + <usize>t * step;
  const bytes = (((<usize>op.k + 31) & ~31) << 4) + HEAD;
  const head = <usize>op.w + <usize>b * bytes + (lane << 2);
  const ones = v128.load(I16_ONE);
  let w = head + HEAD;
  let x = token + CODES_AT;
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (const end = head + bytes; w < end; w += 64) {
    const v = v128.load(w);
    const u = v128.load(w, 16);
    let s = v128.load32_splat(x);
    a0 = i32x4.add(a0, quads(v, s, ones));
    b0 = i32x4.add(b0, quads(u, s, ones));
    let y = x + step;
    s = v128.load32_splat(y);
    a1 = i32x4.add(a1, quads(v, s, ones));
    b1 = i32x4.add(b1, quads(u, s, ones));
    y += step;
    s = v128.load32_splat(y);
    a2 = i32x4.add(a2, quads(v, s, ones));
    b2 = i32x4.add(b2, quads(u, s, ones));
    y += step;
    s = v128.load32_splat(y);
    a3 = i32x4.add(a3, quads(v, s, ones));
    b3 = i32x4.add(b3, quads(u, s, ones));
    x += 4;
  }
  finishPair(op, t, (b << 4) + lane, a0, b0, head, token);
  finishPair(op, t + 1, (b << 4) + lane, a1, b1, head, token + step);
  finishPair(op, t + 2, (b << 4) + lane, a2, b2, head, token + 2 * step);
  finishPair(op, t + 3, (b << 4) + lane, a3, b3, head, token + 3 * step);
}

/** 8 rows of one token: their scales stand at `at`, the token's row at `x`. */
function finishPair(op: LinearOp, token: u32, row: u32, a: v128, b: v128, at: usize, x: usize): void {
  const z = v128.load32_splat(x, ZERO_AT);
  const s = v128.load32_splat(x);
  finish4(op, token, row, product(centred(a, at, z), at, s));
  finish4(op, token, row + 4, product(centred(b, at + 16, z), at + 16, s));
}
