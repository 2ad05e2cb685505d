// Convolution of a stream: sums that stay get the products of what changed, pairs of channels by i16 dot products, or are made anew as conv2d makes them.
// Outputs whose window did not change are passed. A unit owns rows of outputs.
import { Conv2dOp, Deltaconv2dOp } from "../abi.gen";
import { Codes, row } from "./convolve.simd";
import { changed, countAt, entryAt, isDense } from "./events";
import { QUANT } from "./fx16.scalar";
import { Fx16, halfOf, leastOf } from "./fx16.simd";
import { pixelBytes } from "./image";
import { start } from "./split";

export function convolveChanges<C extends Codes>(p: usize, unit: u32, units: u32): void {
  const op = changetype<Deltaconv2dOp>(p);
  if (!load<u32>(op.rows)) return;
  const end = start(unit + 1, units, op.oh);
  const blocks = (op.outputs + 15) >> 4;
  const padded = pixelBytes(op.outputs);
  const dense = isDense(op.list, op.height);
  for (let r = start(unit, units, op.oh); r < end; r++) {
    const at = <usize>r * op.ow * padded;
    if (!dense) {
      for (let q: u32 = 0; q < op.ow; q++)
        if (changed(op.list, op.height, op.width, r * op.stride - op.pad, q * op.stride - op.pad, op.size)) pixel<C>(op, r, q, blocks, at + <usize>q * padded);
      continue;
    }
    for (let b: u32 = 0; b < blocks; b++) {
      const first = at + ((<usize>b) << 4);
      // The record begins as conv2d's does.
      row<C>(changetype<Conv2dOp>(p), op.x, r, b, op.y + first, op.sums + (first << 2));
    }
  }
}

/** All outputs of one pixel, `at` from the beginning. */
function pixel<C extends Codes>(op: Deltaconv2dOp, r: u32, q: u32, blocks: u32, at: usize): void {
  const codes = changetype<C>(0);
  const half = halfOf(op.shift);
  const least = leastOf(op.relu);
  const tap = (pixelBytes(op.channels) >> 1) * codes.bytes();
  let w = <usize>op.w;
  for (let b: u32 = 0; b < blocks; b++) {
    const sums = <usize>op.sums + ((at + ((<usize>b) << 4)) << 2);
    let a0 = v128.load(sums);
    let a1 = v128.load(sums, 16);
    let a2 = v128.load(sums, 32);
    let a3 = v128.load(sums, 48);
    for (let i: u32 = 0; i < op.size; i++) {
      const v = r * op.stride + i - op.pad;
      for (let j: u32 = 0; j < op.size; j++) {
        const u = q * op.stride + j - op.pad;
        if (v < op.height && u < op.width) {
          const place = v * op.width + u;
          let entry = entryAt(op.list, op.height, op.width, op.channels, place);
          for (const stop = entry + ((<usize>load<u32>(countAt(op.list, op.height, place))) << 3); entry < stop; entry += 8) {
            const pair = w + <usize>load<u32>(entry) * codes.bytes();
            const d = v128.load32_splat(entry, 4);
            const low = codes.low(pair);
            const high = codes.high(pair);
            a0 = i32x4.add(a0, i32x4.dot_i16x8_s(d, i16x8.extend_low_i8x16_s(low)));
            a1 = i32x4.add(a1, i32x4.dot_i16x8_s(d, i16x8.extend_high_i8x16_s(low)));
            a2 = i32x4.add(a2, i32x4.dot_i16x8_s(d, i16x8.extend_low_i8x16_s(high)));
            a3 = i32x4.add(a3, i32x4.dot_i16x8_s(d, i16x8.extend_high_i8x16_s(high)));
          }
        }
        w += tap;
      }
    }
    v128.store(sums, a0);
    v128.store(sums, a1, 16);
    v128.store(sums, a2, 32);
    v128.store(sums, a3, 48);
    v128.store(op.y + at + ((<usize>b) << 4), Fx16.bytes(a0, a1, a2, a3, <usize>op.quant + <usize>b * QUANT, half, op.shift, least));
  }
}
