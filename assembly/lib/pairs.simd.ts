// Two ways to add the products of codes 0…15 of two rows (q4n), which lie byte by byte side by side, with an int8 activation each. This one on i16.

/** A class without fields; changetype<P>(0) calls its methods. Lanes are 8 channels of i16. */
export interface Pairs {
  /** What the two activations at `x` become. */
  even(x: usize): v128;
  odd(x: usize): v128;
  /** sums + even · (even bytes of codes) + odd · (odd bytes). */
  plus(sums: v128, even: v128, odd: v128, codes: v128): v128;
}

export class WidePairs implements Pairs {
  even(x: usize): v128 {
    return i16x8.splat(load<i8>(x));
  }
  odd(x: usize): v128 {
    return i16x8.splat(load<i8>(x, 1));
  }
  plus(sums: v128, even: v128, odd: v128, codes: v128): v128 {
    const first = i16x8.shr_u(i16x8.shl(codes, 8), 8);
    return i16x8.add(sums, i16x8.add(i16x8.mul(even, first), i16x8.mul(odd, i16x8.shr_u(codes, 8))));
  }
}
