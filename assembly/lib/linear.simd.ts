// What the vector products share: scales and f16 weights of 4 rows, and the last two additions of `linear`.
import { LinearOp } from "../abi.gen";
import { MINUS_ZEROS, SCALE_BASE } from "./constants";
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

/**
 * The last steps of products whose activations have a scale: y[token, row …) = sums · the scale at x, the token's row, + bias + residual.
 * Inlined: where stores lie side by side, V8 under --experimental-wasm-revectorize makes one vector of two and of what leads to them, and breaks
 * down over a call that takes such a vector.
 */
export class Finish {
  /** 16 rows, or those below n. */
  @inline
  static block(op: LinearOp, token: u32, row: u32, x: usize, f0: v128, f1: v128, f2: v128, f3: v128): void {
    const y = <usize>op.y + ((<usize>token * op.ys + row) << 2);
    const s = v128.load32_splat(x);
    f0 = f32x4.mul(f0, s);
    f1 = f32x4.mul(f1, s);
    f2 = f32x4.mul(f2, s);
    f3 = f32x4.mul(f3, s);
    if (row + 16 <= op.n) {
      const at = Finish.addend(op, token, row);
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      v128.store(y, f32x4.add(f0, a));
      v128.store(y, f32x4.add(f1, b), 16);
      v128.store(y, f32x4.add(f2, c), 32);
      v128.store(y, f32x4.add(f3, d), 48);
      if (op.bias) add(op, token, 1, row, row + 16);
    } else {
      const left = <i32>(op.n - row);
      Finish.some(y, left, f0);
      Finish.some(y + 16, left - 4, f1);
      Finish.some(y + 32, left - 8, f2);
      Finish.some(y + 48, left - 12, f3);
      if (op.bias | op.residual) add(op, token, 1, row, op.n);
    }
  }

  /** 8 rows, all of them below n, without the bias: that of 4 tokens comes with `rest`. */
  @inline
  static pair(op: LinearOp, token: u32, row: u32, x: usize, f: v128, g: v128): void {
    const y = <usize>op.y + ((<usize>token * op.ys + row) << 2);
    const s = v128.load32_splat(x);
    const at = Finish.addend(op, token, row);
    // Both loads come before the stores, which could have changed what is loaded as far as the optimiser can tell.
    const a = v128.load(at);
    const b = v128.load(at, 16);
    v128.store(y, f32x4.add(f32x4.mul(f, s), a));
    v128.store(y, f32x4.add(f32x4.mul(g, s), b), 16);
  }

  @inline
  static rest(op: LinearOp, token: u32, row: u32): void {
    if (op.bias) add(op, token, 4, row, row + 8);
  }

  /** Where what is added to the 16 rows of a token from `row` on lies: the residual, or −0, which changes nothing. A bias comes before it: `add` adds both. */
  @inline
  private static addend(op: LinearOp, token: u32, row: u32): usize {
    return op.residual && !op.bias ? <usize>op.residual + ((<usize>token * op.rs + row) << 2) : MINUS_ZEROS;
  }

  @inline
  private static some(y: usize, count: i32, f: v128): void {
    if (count > 0) v128.store32_lane(y, f, 0);
    if (count > 1) v128.store32_lane(y, f, 1, 4);
    if (count > 2) v128.store32_lane(y, f, 2, 8);
    if (count > 3) v128.store32_lane(y, f, 3, 12);
  }
}

/** y += bias, y += residual: rows [row, end) of tokens from `token` on. */
function add(op: LinearOp, token: u32, tokens: u32, row: u32, end: u32): void {
  const bytes = (<usize>(end - row)) << 2;
  for (const last = token + tokens; token < last; token++) {
    const y = <usize>op.y + ((<usize>token * op.ys + row) << 2);
    if (op.bias) addTo(y, <usize>op.bias + ((<usize>row) << 2), bytes);
    if (op.residual) addTo(y, <usize>op.residual + ((<usize>token * op.rs + row) << 2), bytes);
  }
}

/** y += a, f32. */
function addTo(y: usize, a: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(a + i)));
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(a + i));
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

/** 4 rows of one token, times the scale at the head of its row. */
export function finishRow(op: LinearOp, token: u32, row: u32, f: v128, x: usize): void {
  finish4(op, token, row, f32x4.mul(f, v128.load32_splat(x)));
}

/**
 * 4 rows of one token from i32 sums of int8 weights with u7tok codes: less zero · Σ weights, times the weights' scales.
 * The scales of the rows are f32 at `at`, their sums i32 behind them as in q8; x is the token's row.
 */
export function wholeBytes(sums: v128, at: usize, x: usize): v128 {
  const whole = i32x4.sub(sums, i32x4.mul(v128.load32_splat(x, ZERO_AT), v128.load(at, SUMS_AT)));
  return f32x4.mul(f32x4.convert_i32x4_s(whole), v128.load(at));
}

function finishSome(op: LinearOp, token: u32, row: u32, acc: v128): void {
  if (row < op.n) finish(op, token, row, f32x4.extract_lane(acc, 0));
  if (row + 1 < op.n) finish(op, token, row + 1, f32x4.extract_lane(acc, 1));
  if (row + 2 < op.n) finish(op, token, row + 2, f32x4.extract_lane(acc, 2));
}
