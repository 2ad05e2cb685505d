// f32 rows → IEEE binary16 rows, four at a time; half.scalar.ts says what is written.
import * as V from "./constants";
import { fillNaN, narrow } from "./half.scalar";

/** x f32 [n] → y f16 [n]. */
export function storeHalves(x: usize, n: usize, y: usize): void {
  const end = x + (n << 2);
  const first = y;
  let bad = i32x4.splat(0);
  for (; x + 16 <= end; x += 16) {
    const v = v128.load(x);
    bad = v128.or(bad, f32x4.ne(v, v));
    const h = narrow4(v);
    v128.store64_lane(y, i16x8.narrow_i32x4_u(h, h), 0);
    y += 8;
  }
  let poisoned = v128.any_true(bad);
  for (; x < end; x += 4) {
    const v = load<f32>(x);
    if (v != v) poisoned = true;
    store<u16>(y, narrow(v));
    y += 2;
  }
  if (poisoned) fillNaN(first, n);
}

/** Bits of the nearest f16 in each word. */
function narrow4(x: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 16), v128.load(V.F16_SIGN));
  const u = f32x4.pmin(v128.and(x, v128.load(V.F32_ABS)), v128.load(V.F16_MAX));
  const odd = v128.and(i32x4.shr_u(u, 13), v128.load(V.U32_ONE));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(u, odd), v128.load(V.F16_ROUND)), 13);
  const half = v128.load(V.F32_HALF);
  const small = i32x4.sub(f32x4.add(u, half), half);
  return v128.or(sign, v128.bitselect(small, normal, i32x4.lt_s(u, v128.load(V.F16_NORMAL))));
}
