// Causal depthwise convolution of rows of i8static [rows, channels]. A unit owns blocks of 16 channels, for all rows; lanes are channels.
// A block that is not whole takes the scalar way.
import { Conv1dOp } from "../abi.gen";
import * as V from "../lib/constants";
import { codesOf, convolve8, keepCodes } from "../lib/conv8.scalar";
import { expRow } from "../lib/math.simd";
import { start } from "../lib/split";

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<Conv1dOp>(p);
  const rows = load<u32>(op.rows);
  const blocks = (op.channels + 15) >> 4;
  const from = start(unit, units, blocks) << 4;
  const to = min<u32>(start(unit + 1, units, blocks) << 4, op.channels);
  if (from >= to) return;
  const whole = to & ~15;
  for (let c = from; c < whole; c += 16) for (let r: u32 = 0; r < rows; r++) block(op, r, c);
  convolve8(op, rows, whole, to);
  keepCodes(op, rows, from, to);
}

/** 16 channels of one row. */
function block(op: Conv1dOp, row: u32, channel: u32): void {
  let w = <usize>op.w + ((<usize>channel * op.taps) << 2);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  const end = row + 1 + op.taps;
  for (let i = row + 1; i < end; i++) {
    const codes = v128.load(codesOf(op, i) + channel);
    const low = i16x8.extend_low_i8x16_s(codes);
    const high = i16x8.extend_high_i8x16_s(codes);
    f0 = f32x4.add(f0, f32x4.mul(v128.load(w), f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
    f1 = f32x4.add(f1, f32x4.mul(v128.load(w, 16), f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))));
    f2 = f32x4.add(f2, f32x4.mul(v128.load(w, 32), f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))));
    f3 = f32x4.add(f3, f32x4.mul(v128.load(w, 48), f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))));
    w += 64;
  }
  const scale = v128.load32_splat(<usize>op.x + <usize>row * op.xs);
  f0 = f32x4.mul(f0, scale);
  f1 = f32x4.mul(f1, scale);
  f2 = f32x4.mul(f2, scale);
  f3 = f32x4.mul(f3, scale);
  if (op.bias) {
    const bias = <usize>op.bias + ((<usize>channel) << 2);
    f0 = f32x4.add(f0, v128.load(bias));
    f1 = f32x4.add(f1, v128.load(bias, 16));
    f2 = f32x4.add(f2, v128.load(bias, 32));
    f3 = f32x4.add(f3, v128.load(bias, 48));
  }
  const y = <usize>op.y + ((<usize>row * op.ys + channel) << 2);
  if (op.silu) {
    const sign = v128.load(V.F32_SIGN);
    const one = v128.load(V.F32_ONE);
    put(y, v128.xor(f0, sign), v128.xor(f1, sign), v128.xor(f2, sign), v128.xor(f3, sign));
    expRow(y, 16, 0);
    f0 = f32x4.div(f0, f32x4.add(one, v128.load(y)));
    f1 = f32x4.div(f1, f32x4.add(one, v128.load(y, 16)));
    f2 = f32x4.div(f2, f32x4.add(one, v128.load(y, 32)));
    f3 = f32x4.div(f3, f32x4.add(one, v128.load(y, 48)));
  }
  put(y, f0, f1, f2, f3);
}

function put(y: usize, f0: v128, f1: v128, f2: v128, f3: v128): void {
  v128.store(y, f0);
  v128.store(y, f1, 16);
  v128.store(y, f2, 32);
  v128.store(y, f3, 48);
}
