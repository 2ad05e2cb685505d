// Product of q4g32 and q4g128 weights with i8tok activations on i16 lanes. Panel q4 holds the activations premultiplied such that each
// nibble is used where it stands: every sum is 256 times the true one, taken back exactly before the activation's scale.
// Z is the type that holds the zero-point words of a group, one for 32 weights: u32 for q4g32, v128 for q4g128.
import { LinearOp } from "../abi.gen";
import { F32_256TH, I16_256, NIBBLE_0, NIBBLE_1, NIBBLE_2 } from "./constants";
import { panelAt, zAt } from "./i8row";
import { finish4, scales } from "./linear.simd";
import { start } from "./split";

export function linearQ4<Z>(op: LinearOp, unit: u32, units: u32): void {
  const tokens = load<u32>(op.rows);
  const blocks = (op.n + 15) >> 4;
  const end = start(unit + 1, units, blocks);
  for (let b = start(unit, units, blocks); b < end; b++) for (let t: u32 = 0; t < tokens; t++) block<Z>(op, b, t);
}

/** 16 rows of one token; 8 at a time within a group, as more do not fit the registers. */
export function block<Z>(op: LinearOp, b: u32, token: u32): void {
  const row = <usize>op.x + <usize>token * op.xs;
  const group: usize = sizeof<Z>() << 3;
  const stride: usize = 32 + (group << 3);
  const bytes = ((<usize>op.k + group - 1) / group) * stride;
  const n0 = v128.load(NIBBLE_0);
  const n1 = v128.load(NIBBLE_1);
  const n2 = v128.load(NIBBLE_2);
  let w = <usize>op.w + <usize>b * bytes;
  let x = row + panelAt(op.k);
  let z = row + zAt(op.k);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let f2 = f0;
  let f3 = f0;
  for (const end = w + bytes; w < end; w += stride) {
    let a0 = zero<Z>(z);
    let a1 = a0;
    let q = w + 32;
    for (const stop = q + (group << 3); q < stop; q += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      const p2 = v128.load32_splat(x, 8);
      const p3 = v128.load32_splat(x, 12);
      x += 16;
      let v = v128.load(q);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      v = v128.load(q, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
    }
    f0 = f32x4.add(f0, f32x4.mul(f32x4.convert_i32x4_s(a0), scales(w + 0)));
    f1 = f32x4.add(f1, f32x4.mul(f32x4.convert_i32x4_s(a1), scales(w + 8)));
    a0 = zero<Z>(z);
    a1 = a0;
    x -= group << 1;
    q = w + 64;
    for (const stop = q + (group << 3); q < stop; q += 64) {
      const p0 = v128.load32_splat(x);
      const p1 = v128.load32_splat(x, 4);
      const p2 = v128.load32_splat(x, 8);
      const p3 = v128.load32_splat(x, 12);
      x += 16;
      let v = v128.load(q);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
      v = v128.load(q, 16);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p0, v128.and(v, n0)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, v128.and(v, n1)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p2, v128.and(v, n2)));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p3, i16x8.shr_u(v, 12)));
    }
    f2 = f32x4.add(f2, f32x4.mul(f32x4.convert_i32x4_s(a0), scales(w + 16)));
    f3 = f32x4.add(f3, f32x4.mul(f32x4.convert_i32x4_s(a1), scales(w + 24)));
    z += sizeof<Z>();
  }
  const s = v128.load32_splat(row);
  const back = v128.load(F32_256TH);
  const first = b << 4;
  finish4(op, token, first, f32x4.mul(f32x4.mul(f0, back), s));
  finish4(op, token, first + 4, f32x4.mul(f32x4.mul(f1, back), s));
  finish4(op, token, first + 8, f32x4.mul(f32x4.mul(f2, back), s));
  finish4(op, token, first + 12, f32x4.mul(f32x4.mul(f3, back), s));
}

/** 256 · −8 · Σx of a group in every lane: the sum of its zero-point words, both halves. */
export function zero<Z>(z: usize): v128 {
  const by = v128.load(I16_256);
  if (sizeof<Z>() == 4) return i32x4.dot_i16x8_s(v128.load32_splat(z), by);
  let sum = i32x4.dot_i16x8_s(v128.load(z), by);
  sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1));
  return i32x4.add(sum, v128.shuffle<i32>(sum, sum, 1, 0, 3, 2));
}
