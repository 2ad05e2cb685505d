// Groups of weights that share a scale, for the vector products: how a group lies in memory and how its integer sums become floats.
// The layouts are those of runtime/quant. Four rows, a quad, are one vector.
import { GROUP_WORDS, SCALE_AT, TOKEN_WORDS } from "./i8row";
import { scales } from "./linear.simd";

/** A class without fields; changetype<G>(0) calls its methods. */
export interface Group {
  /** Weights of a row in a group. */
  weights(): usize;
  /** Bytes before its codes; the scales come first. */
  head(): usize;
  /** Bytes of the scales of a quad. */
  quad(): usize;
  /** What sums of codes that are stored plus 8 start from: −8 · Σx; else 0. z = the group's words in the row (runtime/act). */
  zero(z: usize): v128;
  /** The same for pairs of i16, of groups of up to 64. */
  zero16(z: usize): v128;
  /** −Σx as f32, for minima. */
  minus(z: usize): v128;
  /** Scales of the quad at `at`; base: SCALE_BASE, or SCALE_BASE_256TH where sums are 256 times the true ones. */
  scale(at: usize, base: usize): v128;
  /** True sums from sums 256 times as great, unless the scale makes up for it. */
  whole(sums: v128): v128;
  /** sums · scale (+ Σx · minimum) of the quad at `at`. */
  part(sums: v128, scale: v128, at: usize, minus: v128): v128;
  /** Bytes of its words in a row of activations. */
  words(): usize;
  /** Scale of its activations where they have one. */
  times(z: usize): v128;
  /** part (· that scale). */
  scaled(part: v128, times: v128): v128;
}

/** acc + what the sums of the quad at `at` stand for. */
export function plus<G extends Group>(acc: v128, sums: v128, scale: v128, at: usize, minus: v128, times: v128): v128 {
  const g = changetype<G>(0);
  return f32x4.add(acc, g.scaled(g.part(sums, scale, at, minus), times));
}

/** Groups G of 32 with i8g32 activations. */
export class Scaled<G extends Group> implements Group {
  weights(): usize {
    return changetype<G>(0).weights();
  }
  head(): usize {
    return changetype<G>(0).head();
  }
  quad(): usize {
    return changetype<G>(0).quad();
  }
  zero(z: usize): v128 {
    return changetype<G>(0).zero(z);
  }
  zero16(z: usize): v128 {
    return changetype<G>(0).zero16(z);
  }
  minus(z: usize): v128 {
    return changetype<G>(0).minus(z);
  }
  scale(at: usize, base: usize): v128 {
    return changetype<G>(0).scale(at, base);
  }
  whole(sums: v128): v128 {
    return changetype<G>(0).whole(sums);
  }
  part(sums: v128, scale: v128, at: usize, minus: v128): v128 {
    return changetype<G>(0).part(sums, scale, at, minus);
  }
  words(): usize {
    return GROUP_WORDS;
  }
  times(z: usize): v128 {
    return v128.load32_splat(z, SCALE_AT);
  }
  scaled(part: v128, times: v128): v128 {
    return f32x4.mul(part, times);
  }
}

/** 16 scales of 16 bits, then codes: q4g32, q8g32. */
export class Group32 implements Group {
  weights(): usize {
    return 32;
  }
  head(): usize {
    return 32;
  }
  quad(): usize {
    return 8;
  }
  zero(z: usize): v128 {
    return i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z));
  }
  zero16(z: usize): v128 {
    return v128.load32_splat(z);
  }
  minus(_z: usize): v128 {
    return f32x4.splat(0);
  }
  scale(at: usize, base: usize): v128 {
    return scales(at, base);
  }
  whole(sums: v128): v128 {
    return sums;
  }
  part(sums: v128, scale: v128, _at: usize, _minus: v128): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(sums), scale);
  }
  words(): usize {
    return TOKEN_WORDS;
  }
  times(_z: usize): v128 {
    return f32x4.splat(0);
  }
  scaled(part: v128, _times: v128): v128 {
    return part;
  }
}

/** The same for 128 weights: q4g128. */
export class Group128 implements Group {
  weights(): usize {
    return 128;
  }
  head(): usize {
    return 32;
  }
  quad(): usize {
    return 8;
  }
  zero(z: usize): v128 {
    let sum = i32x4.extadd_pairwise_i16x8_s(v128.load(z));
    sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
    return i32x4.add(sum, v128.shuffle<i32>(sum, sum, 1, 0, 3, 2));
  }
  zero16(_z: usize): v128 {
    return unreachable();
  }
  minus(_z: usize): v128 {
    return f32x4.splat(0);
  }
  scale(at: usize, base: usize): v128 {
    return scales(at, base);
  }
  whole(sums: v128): v128 {
    return sums;
  }
  part(sums: v128, scale: v128, _at: usize, _minus: v128): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(sums), scale);
  }
  words(): usize {
    return 4 * TOKEN_WORDS;
  }
  times(_z: usize): v128 {
    return f32x4.splat(0);
  }
  scaled(part: v128, _times: v128): v128 {
    return part;
  }
}

/**
 * 16 f32 scales, 16 f32 minima, then codes 0…15: q4g32m. No i16 lane of unsigned codes can wrap or saturate: it takes 16 of a group's
 * 32 weights, and 16 · 15 · 127 = 30480 < 2^15; so sums start at zero.
 */
export class Minimum32 implements Group {
  weights(): usize {
    return 32;
  }
  head(): usize {
    return 128;
  }
  quad(): usize {
    return 16;
  }
  zero(_z: usize): v128 {
    return i32x4.splat(0);
  }
  zero16(_z: usize): v128 {
    return i16x8.splat(0);
  }
  /** From the words: −8 times as much in two halves. Exact. */
  minus(z: usize): v128 {
    return f32x4.convert_i32x4_s(i32x4.shr_s(i32x4.extadd_pairwise_i16x8_s(v128.load32_splat(z)), 3));
  }
  scale(at: usize, _base: usize): v128 {
    return v128.load(at);
  }
  /** The scales may be any f32: the integers are divided. */
  whole(sums: v128): v128 {
    return i32x4.shr_s(sums, 8);
  }
  /** Taking away −Σx · m is adding Σx · m to the bit, but for the sign of a zero, which the sum over groups, never −0 itself, does not let through. */
  part(sums: v128, scale: v128, at: usize, minus: v128): v128 {
    return f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(sums), scale), f32x4.mul(minus, v128.load(at, 64)));
  }
  words(): usize {
    return TOKEN_WORDS;
  }
  times(_z: usize): v128 {
    return f32x4.splat(0);
  }
  scaled(part: v128, _times: v128): v128 {
    return part;
  }
}
