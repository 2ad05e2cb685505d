// The last steps of the vector products of q161.
import { LinearOp } from "../abi.gen";
import { F16_KEEP, F16_REBIAS } from "./constants";
import { finish4, halves } from "./linear.simd";
import { BINARY_SCALE, BINARY_SUM, blockBytes, P_AT, Q_AT, S_AT, SALIENT_SCALE, SALIENT_SUM, ZERO_AT } from "./q161";

/**
 * y of rows 16b + lane … + 4: (B · p + Σx · q) · scale of the binary columns + (D · s) · scale of the salient ones. plus: Σx where the sign is +1,
 * so that B = 2 · plus − Σx; codes: Σ (code − 8) · x, so that D = codes + (8 − zero) · Σx, over the columns of each kind.
 */
export function finishSplit(op: LinearOp, b: u32, token: u32, lane: usize, plus: v128, codes: v128): void {
  const keep = v128.load(F16_KEEP);
  const rebias = v128.load(F16_REBIAS);
  const at = <usize>op.x + <usize>token * op.xs;
  const w = <usize>op.w + <usize>b * blockBytes(op.k) + (lane << 1);
  const all = v128.load32_splat(at, BINARY_SUM);
  let y = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(i32x4.shl(plus, 1), all)), halves(w + P_AT, keep, rebias));
  y = f32x4.add(y, f32x4.mul(f32x4.convert_i32x4_s(all), halves(w + Q_AT, keep, rebias)));
  const sum = v128.load32_splat(at, SALIENT_SUM);
  const zero = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(w - lane, ZERO_AT)));
  const d = i32x4.sub(i32x4.add(codes, i32x4.shl(sum, 3)), i32x4.mul(zero, sum));
  const z = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(d), halves(w + S_AT, keep, rebias)), v128.load32_splat(at, SALIENT_SCALE));
  finish4(op, token, (b << 4) + <u32>lane, f32x4.add(f32x4.mul(y, v128.load32_splat(at, BINARY_SCALE)), z));
}
