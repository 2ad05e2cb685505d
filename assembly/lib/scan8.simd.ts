// Selective scan of rows of i8static, whole blocks of 16 channels (runtime/ops/scan/op.ts); lanes are channels. scan8.scalar.ts has the same
// operations in the same order. H is the type of a state: f32 or i8. Rows are passed over three times: δ, which stands in the row of dt where a
// panel would go; the states, 8 channels at a time through all rows; the gate, whose exponentials then take the place of δ.
import { ScanOp } from "../abi.gen";
import * as V from "./constants";
import { CODES_AT } from "./i8row";
import { expRow } from "./math.simd";
import { deltaOf } from "./scan8.scalar";
import { softplusRow } from "./softplus.simd";

export function scan8<H>(op: ScanOp, rows: u32, from: u32, to: u32): void {
  if (from >= to) return;
  for (let r: u32 = 0; r < rows; r++) steps(op, r, from, to);
  for (let c = from; c < to; c += 8) for (let r: u32 = 0; r < rows; r++) eight<H>(op, r, c);
  for (let r: u32 = 0; r < rows; r++) gate(op, r, from, to);
}

/** Four codes as f32. */
function four(codes: usize): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(codes))));
}

/** δ of a row, and how many codes of x, dt and z stand at an end of their range. */
function steps(op: ScanOp, row: u32, from: u32, to: u32): void {
  const x = <usize>op.x + <usize>row * op.xs + CODES_AT;
  const dt = <usize>op.dt + <usize>row * op.dts;
  const z = <usize>op.z + <usize>row * op.zs + CODES_AT;
  const delta = deltaOf(op, row);
  const scale = v128.load32_splat(dt);
  const most = v128.load(V.I8_MAX);
  for (let c: usize = from; c < to; c += 4) {
    const t = v128.load32_zero(dt + CODES_AT + c);
    v128.store(delta + (c << 2), f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(t))), scale));
    // −1 where a code is at an end, in i8, summed and widened
    let ended = i8x16.add(i8x16.eq(i8x16.abs(t), most), i8x16.eq(i8x16.abs(v128.load32_zero(x + c)), most));
    ended = i8x16.add(ended, i8x16.eq(i8x16.abs(v128.load32_zero(z + c)), most));
    const count = <usize>op.saturations + (c << 2);
    v128.store(count, i32x4.sub(v128.load(count), i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(ended))));
  }
  const at = (<usize>from) << 2;
  softplusRow(delta + at, <usize>op.bias + at, <usize>op.y + ((<usize>row * op.ys) << 2) + at, to - from);
}

/** Eight channels of one row: y becomes what silu(z) is still to multiply. */
function eight<H>(op: ScanOp, row: u32, channel: u32): void {
  const at = (<usize>channel) << 2;
  const x = <usize>op.x + <usize>row * op.xs;
  const delta = deltaOf(op, row) + at;
  let b = <usize>op.b + <usize>row * op.bs;
  let c = <usize>op.c + <usize>row * op.cs;
  const scale = v128.load32_splat(x);
  const x0 = f32x4.mul(four(x + CODES_AT + channel), scale);
  const x1 = f32x4.mul(four(x + CODES_AT + channel + 4), scale);
  const d0 = v128.load(delta);
  const d1 = v128.load(delta, 16);
  const rate0 = f32x4.mul(d0, v128.load(V.V_LOG2E));
  const rate1 = f32x4.mul(d1, v128.load(V.V_LOG2E));
  const input0 = f32x4.mul(f32x4.mul(d0, x0), v128.load32_splat(b));
  const input1 = f32x4.mul(f32x4.mul(d1, x1), v128.load32_splat(b));
  const scaleC = v128.load32_splat(c);
  b += CODES_AT;
  c += CODES_AT;
  let place = (<usize>(channel >> 4) * op.states * 16) | (channel & 15);
  const end = place + ((<usize>op.states) << 4);
  let range = <usize>op.rangehidden;
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  for (; place < end; place += 16) {
    const a = <usize>op.a + (place << 2);
    const h = <usize>op.hidden + place * sizeof<H>();
    const codeB = f32x4.splat(<f32>(<i32>load<i8>(b++)));
    const codeC = f32x4.splat(<f32>(<i32>load<i8>(c++)));
    let h0: v128;
    let h1: v128;
    if (isInteger<H>()) {
      const wide = i16x8.extend_low_i8x16_s(v128.load64_zero(h));
      const step = f32x4.mul(v128.load32_splat(range), v128.load(V.V_INV_127));
      h0 = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(wide)), step);
      h1 = f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(wide)), step);
    } else {
      h0 = v128.load(h);
      h1 = v128.load(h, 16);
    }
    h0 = f32x4.add(f32x4.mul(h0, exp2(f32x4.mul(rate0, v128.load(a)))), f32x4.mul(input0, codeB));
    h1 = f32x4.add(f32x4.mul(h1, exp2(f32x4.mul(rate1, v128.load(a, 16)))), f32x4.mul(input1, codeB));
    if (isInteger<H>()) {
      keep(op, channel, h, h0, h1, load<f32>(range));
      range += 4;
    } else {
      v128.store(h, h0);
      v128.store(h, h1, 16);
    }
    sum0 = f32x4.add(sum0, f32x4.mul(h0, codeC));
    sum1 = f32x4.add(sum1, f32x4.mul(h1, codeC));
  }
  const y = <usize>op.y + ((<usize>row * op.ys) << 2) + at;
  const d = <usize>op.d + at;
  v128.store(y, f32x4.add(f32x4.mul(sum0, scaleC), f32x4.mul(v128.load(d), x0)));
  v128.store(y, f32x4.add(f32x4.mul(sum1, scaleC), f32x4.mul(v128.load(d, 16), x1)), 16);
}

/** 2^t for t ≤ 0, as in scan.scalar.ts. */
function exp2(t: v128): v128 {
  const v = f32x4.pmax(t, v128.load(V.V_EXP2_LEAST));
  const z = f32x4.add(v, v128.load(V.V_ROUND));
  const r = f32x4.sub(v, f32x4.sub(z, v128.load(V.V_ROUND)));
  let p = f32x4.add(f32x4.mul(v128.load(V.V_EXP2_D5), r), v128.load(V.V_EXP2_D4));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP2_D3));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP2_D2));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.V_EXP2_D1));
  p = f32x4.add(f32x4.mul(p, r), v128.load(V.F32_ONE));
  return i32x4.add(p, i32x4.shl(z, 23));
}

/** Codes of eight states; counts those beyond their range. */
function keep(op: ScanOp, channel: u32, h: usize, h0: v128, h1: v128, range: f32): void {
  const inverse = f32x4.splat(range == 0 ? 0 : 127 / range);
  const most = v128.load(V.V_127);
  const c0 = f32x4.nearest(f32x4.mul(h0, inverse));
  const c1 = f32x4.nearest(f32x4.mul(h1, inverse));
  const narrow = i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(c0), i32x4.trunc_sat_f32x4_s(c1));
  v128.store64_lane(h, i8x16.max_s(i8x16.narrow_i16x8_s(narrow, narrow), v128.load(V.I8_MIN)), 0);
  const count = <usize>op.saturations + ((<usize>op.channels + channel) << 2);
  v128.store(count, i32x4.sub(v128.load(count), f32x4.gt(f32x4.abs(c0), most)));
  v128.store(count, i32x4.sub(v128.load(count, 16), f32x4.gt(f32x4.abs(c1), most)), 16);
}

/** y times silu(z). */
function gate(op: ScanOp, row: u32, from: u32, to: u32): void {
  const z = <usize>op.z + <usize>row * op.zs;
  const y = <usize>op.y + ((<usize>row * op.ys) << 2);
  const between = deltaOf(op, row);
  const scale = v128.load32_splat(z);
  const sign = v128.load(V.F32_SIGN);
  const one = v128.load(V.F32_ONE);
  const start = (<usize>from) << 2;
  const end = (<usize>to) << 2;
  for (let i = start; i < end; i += 16) v128.store(between + i, v128.xor(f32x4.mul(four(z + CODES_AT + (i >> 2)), scale), sign));
  expRow(between + start, to - from, 0);
  for (let i = start; i < end; i += 16) {
    const g = f32x4.mul(four(z + CODES_AT + (i >> 2)), scale);
    v128.store(y + i, f32x4.mul(v128.load(y + i), f32x4.div(g, f32x4.add(one, v128.load(between + i)))));
  }
}
