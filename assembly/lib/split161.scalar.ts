// Quantises one f32 row into one split161 row, bit for bit as runtime/act/split161.ts says. A NaN makes the scale of its part NaN.
import { codeOf } from "./codes.scalar";
import { arrange, othersAt } from "./columns";
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
  store<i32>(y, sumOf(others, k - count), BINARY_SUM);
  store<i32>(y, sumOf(first, count), SALIENT_SUM);
  for (let i: usize = 0; i < count; i++) {
    const z = y + splitZAt(k) + ((i >> 6) << 2) + (i & 2);
    store<i16>(z, <i16>(load<i16>(z) - 8 * <i16>load<i8>(first + i)));
  }
  if (!panel) return;
  pairs(first, count, p);
  pairs(others, binary(k), p + ((<usize>count) << 1));
}

function sumOf(codes: usize, n: usize): i32 {
  let s: i32 = 0;
  for (const end = codes + n; codes < end; codes++) s += load<i8>(codes);
  return s;
}

function pairs(codes: usize, n: usize, p: usize): void {
  for (const end = codes + n; codes < end; codes += 4) {
    store<i16>(p, load<i8>(codes));
    store<i16>(p, load<i8>(codes, 2), 2);
    store<i16>(p, load<i8>(codes, 1), 4);
    store<i16>(p, load<i8>(codes, 3), 6);
    p += 8;
  }
}

/** x f32 [n] → int8 codes, and their scale. */
function quantisePart(x: usize, n: u32, codes: usize, scale: usize): void {
  let amax: f32 = 0;
  for (let i: usize = 0; i < n; i++) amax = max<f32>(amax, abs<f32>(load<f32>(x + (i << 2))));
  const inv: f32 = amax == 0 ? 0 : 127 / amax;
  store<f32>(scale, amax / 127);
  for (let i: usize = 0; i < n; i++) store<i8>(codes + i, codeOf(load<f32>(x + (i << 2)), inv));
}
