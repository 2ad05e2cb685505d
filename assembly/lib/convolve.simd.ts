// Convolution of images of stored bytes: tiles of two neighbouring outputs × 16 channels, pairs of input channels by i16 dot products. A place outside
// the image is one vector of zeros that is read again and again (step 0). A unit owns rows of outputs.
import { Conv2dOp } from "../abi.gen";
import { I8_8, I8_ZERO, NIBBLE } from "./constants";
import { QUANT } from "./fx16.scalar";
import { Fx16, halfOf, leastOf } from "./fx16.simd";
import { pixelBytes } from "./image";
import { start } from "./split";

/** Codes of a pair of channels of 16 outputs. Classes without fields stand for the choice: changetype<C>(0) calls their methods. */
export interface Codes {
  /** Their bytes. */
  bytes(): usize;
  /** Bytes (output, channel) of outputs 0…7, and of 8…15. */
  low(w: usize): v128;
  high(w: usize): v128;
}

export class Bytes implements Codes {
  bytes(): usize {
    return 32;
  }
  low(w: usize): v128 {
    return v128.load(w);
  }
  high(w: usize): v128 {
    return v128.load(w, 16);
  }
}

export class Nibbles implements Codes {
  bytes(): usize {
    return 16;
  }
  low(w: usize): v128 {
    const v = v128.load(w);
    const mask = v128.load(NIBBLE);
    const pairs = v128.shuffle<i8>(v128.and(v, mask), v128.and(i16x8.shr_u(v, 4), mask), 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return i8x16.sub(pairs, v128.load(I8_8));
  }
  high(w: usize): v128 {
    const v = v128.load(w);
    const mask = v128.load(NIBBLE);
    const pairs = v128.shuffle<i8>(v128.and(v, mask), v128.and(i16x8.shr_u(v, 4), mask), 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return i8x16.sub(pairs, v128.load(I8_8));
  }
}

export function convolve<C extends Codes>(p: usize, unit: u32, units: u32): void {
  const op = changetype<Conv2dOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const blocks = (op.outputs + 15) >> 4;
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + <usize>(i / op.oh) * op.xs;
    const y = <usize>op.y + <usize>(i / op.oh) * op.ys + <usize>(i % op.oh) * op.ow * pixelBytes(op.outputs);
    for (let b: u32 = 0; b < blocks; b++) row<C>(op, x, i % op.oh, b, y + ((<usize>b) << 4), 0);
  }
}

/** Row r of 16 outputs, block b, to y, and their sums to `sums` unless it is 0; pixels of both are those of all outputs apart. */
export function row<C extends Codes>(op: Conv2dOp, x: usize, r: u32, b: u32, y: usize, sums: usize): void {
  const codes = changetype<C>(0);
  const pixel = pixelBytes(op.channels);
  const step = pixelBytes(op.outputs);
  // Padding channels have no weight.
  const used = <usize>((op.channels + 1) >> 1) * codes.bytes();
  const tap = (pixel >> 1) * codes.bytes();
  const block = <usize>op.w + <usize>b * op.size * op.size * tap;
  const quant = <usize>op.quant + <usize>b * QUANT;
  const half = halfOf(op.shift);
  const least = leastOf(op.relu);
  for (let q: u32 = 0; q < op.ow; q += 2) {
    // The last of an odd number is done twice.
    const other = min<u32>(q + 1, op.ow - 1);
    let w = block;
    let a0 = i32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    for (let i: u32 = 0; i < op.size; i++) {
      const v = r * op.stride + i - op.pad;
      const line = x + <usize>v * op.width * pixel;
      for (let j: u32 = 0; j < op.size; j++) {
        const u0 = q * op.stride + j - op.pad;
        const u1 = other * op.stride + j - op.pad;
        const in0 = v < op.height && u0 < op.width;
        const in1 = v < op.height && u1 < op.width;
        let x0 = in0 ? line + <usize>u0 * pixel : I8_ZERO;
        let x1 = in1 ? line + <usize>u1 * pixel : I8_ZERO;
        const step0: usize = in0 ? 2 : 0;
        const step1: usize = in1 ? 2 : 0;
        const next = w + tap;
        for (const stop = w + used; w < stop; w += codes.bytes()) {
          const low = codes.low(w);
          const high = codes.high(w);
          const w0 = i16x8.extend_low_i8x16_s(low);
          const w1 = i16x8.extend_high_i8x16_s(low);
          const w2 = i16x8.extend_low_i8x16_s(high);
          const w3 = i16x8.extend_high_i8x16_s(high);
          const p = i16x8.extend_low_i8x16_s(v128.load16_splat(x0));
          const s = i16x8.extend_low_i8x16_s(v128.load16_splat(x1));
          a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p, w0));
          a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p, w1));
          a2 = i32x4.add(a2, i32x4.dot_i16x8_s(p, w2));
          a3 = i32x4.add(a3, i32x4.dot_i16x8_s(p, w3));
          b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, w0));
          b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, w1));
          b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, w2));
          b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, w3));
          x0 += step0;
          x1 += step1;
        }
        w = next;
      }
    }
    if (sums) {
      keep(sums + ((<usize>q * step) << 2), a0, a1, a2, a3);
      keep(sums + ((<usize>other * step) << 2), b0, b1, b2, b3);
    }
    v128.store(y + <usize>q * step, Fx16.bytes(a0, a1, a2, a3, quant, half, op.shift, least));
    v128.store(y + <usize>other * step, Fx16.bytes(b0, b1, b2, b3, quant, half, op.shift, least));
  }
}

function keep(at: usize, a0: v128, a1: v128, a2: v128, a3: v128): void {
  v128.store(at, a0);
  v128.store(at, a1, 16);
  v128.store(at, a2, 32);
  v128.store(at, a3, 48);
}
