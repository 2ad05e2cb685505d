// How 2:4 products gather activations and add them up; runtime/quant/sparse24.ts says what places are. Lanes of 32 bits are rows.

/** A class without fields; changetype<G>(0) calls its methods. */
export interface Gather {
  /** The bytes of x at positions 0…15. */
  pick(x: v128, at: v128): v128;
  /** i32 sums + a · b of the 4 bytes of each lane; a int8, b 0…127. ones: I16_ONE. */
  wide(sums: v128, a: v128, b: v128, ones: v128): v128;
  /** The same where no half of a lane's sum, over a group, leaves i16: at most 32 products of 8 · 127. What kind of sums is its own affair. */
  narrow(sums: v128, a: v128, b: v128): v128;
  /** Narrow sums as i32. */
  total(sums: v128): v128;
}

/** i16 products of the even and the odd bytes, for engines without relaxed SIMD. b may have a sign. */
export class Plain implements Gather {
  pick(x: v128, at: v128): v128 {
    return i8x16.swizzle(x, at);
  }
  wide(sums: v128, a: v128, b: v128, _ones: v128): v128 {
    const odd = i32x4.dot_i16x8_s(i16x8.shr_s(a, 8), i16x8.shr_s(b, 8));
    const even = i32x4.dot_i16x8_s(i16x8.shr_s(i16x8.shl(a, 8), 8), i16x8.shr_s(i16x8.shl(b, 8), 8));
    return i32x4.add(sums, i32x4.add(even, odd));
  }
  narrow(sums: v128, a: v128, b: v128): v128 {
    return this.wide(sums, a, b, a);
  }
  total(sums: v128): v128 {
    return sums;
  }
}
