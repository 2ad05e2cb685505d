// Requantisation of 16 sums to stored bytes (runtime/num/fx16.ts says what is computed). The product of 40 bits is shifted as an unsigned number that
// lies 2^63 higher, which changes nothing below bit 32 as shift is at most 31, and is one instruction where a signed shift is many.
import { I16_128 } from "./constants";

/** What the product lacks before the shift: half a step, and 2^63. */
export function halfOf(shift: i32): v128 {
  return i64x2.splat(((<i64>1) << (shift - 1)) | i64.MIN_VALUE);
}

/** Least value of a layer in i32: 0 behind a ReLU (relu 1). Arithmetic, as a choice would become a choice of vector constants. */
export function leastOf(relu: u32): v128 {
  return i32x4.splat((<i32>relu - 1) & i32.MIN_VALUE);
}

export class Fx16 {
  /** Four sums times scale, shifted and rounded, plus bias; quant: their scales i16, the biases 32 bytes on. */
  @inline
  static four(acc: v128, quant: usize, half: v128, shift: i32, least: v128): v128 {
    const scale = v128.load_ext<i16>(quant);
    const low = i64x2.shr_u(i64x2.add(i64x2.extmul_low_i32x4_s(acc, scale), half), shift);
    const high = i64x2.shr_u(i64x2.add(i64x2.extmul_high_i32x4_s(acc, scale), half), shift);
    const v = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
    return i32x4.max_s(i32x4.add(v, v128.load_ext<i16>(quant, 32)), least);
  }

  /** Stored bytes of the sums of 16 channels. */
  @inline
  static bytes(a0: v128, a1: v128, a2: v128, a3: v128, quant: usize, half: v128, shift: i32, least: v128): v128 {
    const v0 = Fx16.four(a0, quant, half, shift, least);
    const v1 = Fx16.four(a1, quant + 8, half, shift, least);
    const v2 = Fx16.four(a2, quant + 16, half, shift, least);
    const v3 = Fx16.four(a3, quant + 24, half, shift, least);
    const off = v128.load(I16_128);
    const low = i16x8.sub_sat_s(i16x8.narrow_i32x4_s(v0, v1), off);
    return i8x16.narrow_i16x8_s(low, i16x8.sub_sat_s(i16x8.narrow_i32x4_s(v2, v3), off));
  }
}
