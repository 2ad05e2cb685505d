// y = x Wᵀ (+ bias) (+ residual); W q8g32, x i8tok with panel pairs. A unit owns blocks of 16 rows, for all tokens.
// A byte in the upper half of an i16 lane is the code × 256: no widening; the factor is taken back exactly at the end.
import { LinearOp } from "../abi.gen";
import { F32_256TH, UPPER_BYTE } from "../lib/constants";
import { panelAt } from "../lib/i8row";
import { finish4, scales } from "../lib/linear.simd";
import { start } from "../lib/split";

const GROUP_BYTES: usize = 544;

export function kernel(p: usize, unit: u32, units: u32): void {
  const op = changetype<LinearOp>(p);
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) block(op, b, t);
}

/** 16 rows of one token. */
export function block(op: LinearOp, b: u32, token: u32): void {
  const row = <usize>op.x + <usize>token * op.xs;
  const bytes = ((<usize>op.k + 31) >> 5) * GROUP_BYTES;
  const upper = v128.load(UPPER_BYTE);
  let w = <usize>op.w + <usize>b * bytes;
  let x = row + panelAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = w + bytes; w < end; ) {
    const group = w;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    w += 32;
    for (const stop = group + GROUP_BYTES; w < stop; w += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      x += 8;
      let v = v128.load(w);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 32);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
      v = v128.load(w, 48);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p0, i16x8.shl(v, 8)));
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p1, v128.and(v, upper)));
    }
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(a0), scales(group)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(a1), scales(group + 8)));
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(a2), scales(group + 16)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(a3), scales(group + 24)));
  }
  const s = v128.load32_splat(row);
  const back = v128.load(F32_256TH);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f32x4.mul(f0, back), s));
  finish4(op, token, first + 4, f32x4.mul(f32x4.mul(f1, back), s));
  finish4(op, token, first + 8, f32x4.mul(f32x4.mul(f2, back), s));
  finish4(op, token, first + 12, f32x4.mul(f32x4.mul(f3, back), s));
}
