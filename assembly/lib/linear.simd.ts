// What the vector products share: scales and f16 weights of 4 rows, and the last two additions of `linear`.
import { LinearOp } from "../abi.gen";
import { SCALE_BASE } from "./constants";
import { ZERO_AT } from "./i8row";
import { finish } from "./linear.scalar";
import { SUMS_AT } from "./q8.scalar";

/** Scales of 4 rows from their 16 bits each (runtime/quant/lanes.ts); base: SCALE_BASE, or SCALE_BASE_256TH for a 256th. */
export function scales(at: usize, base: usize = SCALE_BASE): v128 {
  return i32x4.add(i32x4.shl(v128.load_ext<u16>(at), 13), v128.load(base));
}

/** 4 f16 → f32 as `half` does; keep and rebias are F16_KEEP and F16_REBIAS, loaded by the caller. */
export function halves(at: usize, keep: v128, rebias: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(v128.load_ext<i16>(at), 13), keep), rebias);
}

/** y[token, row … row + 4) = acc + bias + residual, for the rows below n. */
export function finish4(op: LinearOp, token: u32, row: u32, acc: v128): void {
  if (row + 4 > op.n) {
    finishSome(op, token, row, acc);
    return;
  }
  if (op.bias) acc = f32x4.add(acc, v128.load(<usize>op.bias + ((<usize>row) << 2)));
  if (op.residual) acc = f32x4.add(acc, v128.load(<usize>op.residual + ((<usize>token * op.rs + row) << 2)));
  v128.store(<usize>op.y + ((<usize>token * op.ys + row) << 2), acc);
}

/** Sums of 4 rows times their f32 scales at `at`, times the activation's. */
export function product(sums: v128, at: usize, s: v128): v128 {
  return f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), v128.load(at)), s);
}

/** 8 rows of one token, times the scale at the head of its activations. */
export function finish8(op: LinearOp, token: u32, row: u32, f: v128, g: v128, x: usize): void {
  const s = v128.load32_splat(x);
  finish4(op, token, row, f32x4.mul(f, s));
  finish4(op, token, row + 4, f32x4.mul(g, s));
}

/**
 * 4 rows of one token from i32 sums of int8 weights with u7tok codes: less zero · Σ weights, times the weights' scales, times x's.
 * The scales of the rows are f32 at `at`, their sums i32 behind them as in q8; x is the token's row.
 */
export function finishBytes(op: LinearOp, token: u32, row: u32, sums: v128, at: usize, x: usize): void {
  const whole = i32x4.sub(sums, i32x4.mul(v128.load32_splat(x, ZERO_AT), v128.load(at, SUMS_AT)));
  finish4(op, token, row, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(whole), v128.load(at)), v128.load32_splat(x)));
}

function finishSome(op: LinearOp, token: u32, row: u32, acc: v128): void {
  if (row < op.n) finish(op, token, row, f32x4.extract_lane(acc, 0));
  if (row + 1 < op.n) finish(op, token, row + 1, f32x4.extract_lane(acc, 1));
  if (row + 2 < op.n) finish(op, token, row + 2, f32x4.extract_lane(acc, 2));
}
