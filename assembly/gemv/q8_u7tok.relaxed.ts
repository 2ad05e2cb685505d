// y = x Wᵀ (+ bias) (+ residual); W q8, x u7tok (codes and zero point). A unit owns blocks of 16 rows, for all tokens.
// Codes of x are the 0…127 operand of the relaxed dot: its pair sums are at most 2 · 127 · 127 < 2^15 and cannot saturate, so every engine agrees.
import { LinearOp } from "../abi.gen";
import { I16_ONE } from "../lib/constants";
import { CODES_AT, ZERO_AT } from "../lib/i8row";
import { finish4, product } from "../lib/linear.simd";
import { HEAD, SUMS_AT } from "../lib/q8.scalar";
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
  const row = <usize>op.x + <usize>token * op.xs;
  const bytes = (((<usize>op.k + 31) & ~31) << 4) + HEAD;
  const head = <usize>op.w + <usize>b * bytes;
  const ones = v128.load(I16_ONE);
  let w = head + HEAD;
  let x = row + CODES_AT;
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (const end = head + bytes; w < end; w += 64) {
    const s = v128.load32_splat(x);
    x += 4;
    a0 = i32x4.add(a0, quads(v128.load(w), s, ones));
    a1 = i32x4.add(a1, quads(v128.load(w, 16), s, ones));
    a2 = i32x4.add(a2, quads(v128.load(w, 32), s, ones));
    a3 = i32x4.add(a3, quads(v128.load(w, 48), s, ones));
  }
  const z = v128.load32_splat(row, ZERO_AT);
  const s = v128.load32_splat(row);
  finish4(op, token, b << 4, product(centred(a0, head, z), head, s));
  finish4(op, token, (b << 4) + 4, product(centred(a1, head + 16, z), head + 16, s));
  finish4(op, token, (b << 4) + 8, product(centred(a2, head + 32, z), head + 32, s));
  finish4(op, token, (b << 4) + 12, product(centred(a3, head + 48, z), head + 48, s));
}

/** Σ w · x of the 4 bytes of each lane; w int8, x 0…127. */
export function quads(w: v128, x: v128, ones: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(w, x), ones);
}

/** Sums of w · x of 4 rows less zero point · sum of w, whose scales stand at `at`. */
export function centred(sums: v128, at: usize, zero: v128): v128 {
  return i32x4.sub(sums, i32x4.mul(zero, v128.load(at, SUMS_AT)));
}
