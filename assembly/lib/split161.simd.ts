// Quantises one f32 row into one split161 row, bit for bit as runtime/act/split161.ts says. A NaN makes the scale of its part NaN.
import { arrange, othersAt } from "./columns";
import { PAIRS_ORDER } from "./constants";
import { absmax, quantise } from "./i8tok.simd";
import { BINARY_SCALE, BINARY_SUM, binary, binaryAt, SALIENT_AT, SALIENT_SCALE, SALIENT_SUM, salient, splitPanelAt, splitZAt } from "./q161";

/** x f32 [k], y one split161 row; columns 0: x is arranged. Else the arranged row stands where the panel goes, which is written from the codes. */
export function encodeSplit(x: usize, k: u32, columns: usize, y: usize, panel: u32): void {
  const count = <u32>salient(k);
  const first = y + SALIENT_AT;
  const others = y + binaryAt(k);
  const p = y + splitPanelAt(k);
  memory.fill(y, 0, splitPanelAt(k));
  if (columns) arrange(x, k, columns, p);
  quantisePart(columns ? p : x, count, first, y + SALIENT_SCALE);
  quantisePart(columns ? p + othersAt(k) : x + ((<usize>count) << 2), k - count, others, y + BINARY_SCALE);
  store<i32>(y, sumOf(others, binary(k)), BINARY_SUM);
  store<i32>(y, sumOf(first, count), SALIENT_SUM);
  zeroPoints(first, count, y + splitZAt(k));
  if (!panel) return;
  pairs(first, count, p);
  pairs(others, binary(k), p + ((<usize>count) << 1));
}

/** Σ of n codes, a multiple of 8. */
function sumOf(codes: usize, n: usize): i32 {
  let s = i32x4.splat(0);
  for (const end = codes + n; codes < end; codes += 8) s = i32x4.add(s, i32x4.extadd_pairwise_i16x8_s(v128.load_ext<i8>(codes)));
  s = i32x4.add(s, v128.shuffle<i32>(s, s, 2, 3, 0, 1));
  return i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1);
}

/** A word of two i16 for each 64 of n codes, a multiple of 8. */
function zeroPoints(codes: usize, n: usize, z: usize): void {
  for (const end = codes + n; codes < end; ) {
    // lanes of 16 bits are sums of 2 codes, the even lanes of those with k mod 4 ∈ {0, 1}
    let s = i16x8.splat(0);
    for (const stop = min<usize>(codes + 64, end); codes < stop; codes += 8) s = i16x8.add(s, i16x8.extadd_pairwise_i8x16_s(v128.load64_zero(codes)));
    s = i16x8.add(s, v128.shuffle<i32>(s, s, 1, 0, 3, 2));
    v128.store32_lane(z, i16x8.neg(i16x8.shl(s, 3)), 0);
    z += 4;
  }
}

function pairs(codes: usize, n: usize, p: usize): void {
  const order = v128.load(PAIRS_ORDER);
  for (const end = codes + n; codes < end; codes += 8) {
    v128.store(p, i16x8.extend_low_i8x16_s(i8x16.swizzle(v128.load64_zero(codes), order)));
    p += 16;
  }
}

/** x f32 [n] → int8 codes, and their scale. */
function quantisePart(x: usize, n: u32, codes: usize, scale: usize): void {
  const amax = absmax(x, n);
  store<f32>(scale, amax / 127);
  quantise(x, n, amax == 0 ? 0 : 127 / amax, codes);
}
