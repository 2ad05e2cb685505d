// Gathering with relaxed SIMD: exact and the same on every engine, since positions are below 16, one operand of each dot is 0…127, and a pair
// of its products is at most 2 · 128 · 127 = 32512 < 2^15.
import { Gather } from "./gather.simd";

/** Dot products into i16: wide sums take three instructions, narrow ones two. Narrow sums may wrap on the way: the true ones fit. */
export class Pairs implements Gather {
  pick(x: v128, at: v128): v128 {
    return i8x16.relaxed_swizzle(x, at);
  }
  wide(sums: v128, a: v128, b: v128, ones: v128): v128 {
    return i32x4.add(sums, i32x4.dot_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a, b), ones));
  }
  narrow(sums: v128, a: v128, b: v128): v128 {
    return i16x8.add(sums, i16x8.relaxed_dot_i8x16_i7x16_s(a, b));
  }
  total(sums: v128): v128 {
    return i32x4.extadd_pairwise_i16x8_s(sums);
  }
}

/** Dot products into i32, one instruction where isa dot32 is chosen. */
export class Quads implements Gather {
  pick(x: v128, at: v128): v128 {
    return i8x16.relaxed_swizzle(x, at);
  }
  wide(sums: v128, a: v128, b: v128, _ones: v128): v128 {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sums);
  }
  narrow(sums: v128, a: v128, b: v128): v128 {
    return i32x4.relaxed_dot_i8x16_i7x16_add_s(a, b, sums);
  }
  total(sums: v128): v128 {
    return sums;
  }
}
