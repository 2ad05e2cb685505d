// Runs of int8 codes that are summed as integers, for the vector products of q8 and q8g32: where they lie and what becomes of their sums.
import { GROUP_WORDS, SCALE_AT } from "./i8row";
import { scales } from "./linear.simd";
import { HEAD } from "./q8.scalar";

/** A class without fields; changetype<R>(0) calls its methods. The scales of a quad (4 rows) are one vector. */
export interface Run {
  /** Bytes of a block of 16 rows; before its first run; and before the codes of each run. */
  bytes(k: u32): usize;
  first(): usize;
  head(): usize;
  /** Where a run ends whose codes start at `codes`, in a block that ends at `end`. */
  stop(codes: usize, end: usize): usize;
  /** True sums from sums 256 times as great, unless the scale makes up for it. */
  whole(sums: v128): v128;
  /** Scales of a quad of the run, if it has any; base: SCALE_BASE, or SCALE_BASE_256TH where sums are 256 times the true ones. */
  scale(at: usize, base: usize): v128;
  /** Bytes of its words in a row of activations; 0: they are not looked at. */
  words(): usize;
  /** Scale of its activations where they have one; z = those words. */
  times(z: usize): v128;
  /** acc + sums (· scale (· times)). */
  plus(acc: v128, sums: v128, scale: v128, times: v128): v128;
  /** acc (· scale of a quad of the block at `at`), f32. */
  end(acc: v128, at: usize): v128;
}

/** 16 f32 scales, sums of the rows, codes: q8. 512 products of 127 · 127 · 256 fit 31 bits; then the integers are shifted back and kept. */
export class Row implements Run {
  bytes(k: u32): usize {
    return (((<usize>k + 31) & ~31) << 4) + HEAD;
  }
  first(): usize {
    return HEAD;
  }
  head(): usize {
    return 0;
  }
  stop(codes: usize, end: usize): usize {
    return min<usize>(codes + 8192, end);
  }
  whole(sums: v128): v128 {
    return i32x4.shr_s(sums, 8);
  }
  scale(_at: usize, _base: usize): v128 {
    return f32x4.splat(0);
  }
  words(): usize {
    return 0;
  }
  times(_z: usize): v128 {
    return f32x4.splat(0);
  }
  plus(acc: v128, sums: v128, _scale: v128, _times: v128): v128 {
    return i32x4.add(acc, sums);
  }
  end(acc: v128, at: usize): v128 {
    return f32x4.mul(f32x4.convert_i32x4_s(acc), v128.load(at));
  }
}

/** 32 weights with scales of 16 bits before them: q8g32. */
export class Run32 implements Run {
  bytes(k: u32): usize {
    return ((<usize>k + 31) >> 5) * 544;
  }
  first(): usize {
    return 0;
  }
  head(): usize {
    return 32;
  }
  stop(codes: usize, _end: usize): usize {
    return codes + 512;
  }
  whole(sums: v128): v128 {
    return sums;
  }
  scale(at: usize, base: usize): v128 {
    return scales(at, base);
  }
  words(): usize {
    return 0;
  }
  times(_z: usize): v128 {
    return f32x4.splat(0);
  }
  plus(acc: v128, sums: v128, scale: v128, _times: v128): v128 {
    return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(sums), scale));
  }
  end(acc: v128, _at: usize): v128 {
    return acc;
  }
}

/** The same with i8g32 activations. */
export class ScaledRun32 implements Run {
  bytes(k: u32): usize {
    return changetype<Run32>(0).bytes(k);
  }
  first(): usize {
    return changetype<Run32>(0).first();
  }
  head(): usize {
    return changetype<Run32>(0).head();
  }
  stop(codes: usize, end: usize): usize {
    return changetype<Run32>(0).stop(codes, end);
  }
  whole(sums: v128): v128 {
    return changetype<Run32>(0).whole(sums);
  }
  scale(at: usize, base: usize): v128 {
    return changetype<Run32>(0).scale(at, base);
  }
  words(): usize {
    return GROUP_WORDS;
  }
  times(z: usize): v128 {
    return v128.load32_splat(z, SCALE_AT);
  }
  plus(acc: v128, sums: v128, scale: v128, times: v128): v128 {
    return f32x4.add(acc, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(sums), scale), times));
  }
  end(acc: v128, at: usize): v128 {
    return changetype<Run32>(0).end(acc, at);
  }
}
