// Depthwise convolution of images of stored bytes, 16 channels a vector, ordinary, of a stream, and square-deformable. A place outside the image is a vector of zeros.
// Products of two taps fit i16 lanes with int8 weights, those of 31 with int4 ones: lanes are widened after so many. A unit owns rows of outputs.
import { DeformDwconv2dOp, Deltadwconv2dOp, Dwconv2dOp } from "../abi.gen";
import { I8_ZERO } from "./constants";
import { changed, isDense } from "./events";
import { Fx16, halfOf, leastOf } from "./fx16.simd";
import { dilationAt, pixelBytes } from "./image";
import { start } from "./split";

/** Taps whose products are added in i16 lanes before they are widened: 2 · 127 · 128 and 31 · 8 · 128 are below 2^15. */
export const TAPS_W8: u32 = 2;
export const TAPS_W4: u32 = 31;

export function depthwise(p: usize, unit: u32, units: u32, together: u32): void {
  const op = changetype<Dwconv2dOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const image = <usize>(i / op.oh);
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const y = <usize>op.y + image * op.ys + (<usize>r * op.ow + q) * pixel;
      const v = r * op.stride - op.pad;
      const u = q * op.stride - op.pad;
      for (let c: usize = 0; c < pixel; c += 16)
        window(<usize>op.x + image * op.xs + c, <usize>op.w + c, <usize>op.quant + (c << 2), y + c, v, u, op.size, 1, op.height, op.width, pixel, together, op.shift, op.relu);
    }
  }
}

/** Of a stream: outputs in whose window anything changed, or all. */
export function depthwiseChanges(p: usize, unit: u32, units: u32, together: u32): void {
  const op = changetype<Deltadwconv2dOp>(p);
  if (!load<u32>(op.rows)) return;
  const end = start(unit + 1, units, op.oh);
  const pixel = pixelBytes(op.channels);
  const dense = isDense(op.list, op.height);
  for (let r = start(unit, units, op.oh); r < end; r++) {
    const v = r * op.stride - op.pad;
    for (let q: u32 = 0; q < op.ow; q++) {
      const u = q * op.stride - op.pad;
      if (!dense && !changed(op.list, op.height, op.width, v, u, op.size)) continue;
      const y = <usize>op.y + (<usize>r * op.ow + q) * pixel;
      for (let c: usize = 0; c < pixel; c += 16)
        window(<usize>op.x + c, <usize>op.w + c, <usize>op.quant + (c << 2), y + c, v, u, op.size, 1, op.height, op.width, pixel, together, op.shift, op.relu);
    }
  }
}

export function deformable(p: usize, unit: u32, units: u32, together: u32): void {
  const op = changetype<DeformDwconv2dOp>(p);
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const image = <usize>(i / op.oh);
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const s = dilationAt(<usize>op.dilation + image * op.ds, r * op.ow + q);
      const y = <usize>op.y + image * op.ys + (<usize>r * op.ow + q) * pixel;
      const v = r * op.stride - s;
      const u = q * op.stride - s;
      for (let c: usize = 0; c < pixel; c += 16)
        window(<usize>op.x + image * op.xs + c, <usize>op.w + c, <usize>op.quant + (c << 2), y + c, v, u, 3, s, op.height, op.width, pixel, together, op.shift, op.relu);
    }
  }
}

/** 16 channels of one output: size × size taps, `apart` from one another, the first at (v, u). */
function window(
  x: usize,
  w: usize,
  quant: usize,
  y: usize,
  v: u32,
  u: u32,
  size: u32,
  apart: u32,
  height: u32,
  width: u32,
  pixel: usize,
  together: u32,
  shift: i32,
  relu: u32,
): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const taps = size * size;
  let i: u32 = 0;
  let j: u32 = 0;
  for (let t: u32 = 0; t < taps; ) {
    let low = i16x8.splat(0);
    let high = low;
    for (const stop = min<u32>(t + together, taps); t < stop; t++) {
      const row = v + i * apart;
      const column = u + j * apart;
      const at = row < height && column < width ? x + (<usize>row * width + column) * pixel : I8_ZERO;
      const codes = v128.load(w);
      const bytes = v128.load(at);
      low = i16x8.add(low, i16x8.extmul_low_i8x16_s(codes, bytes));
      high = i16x8.add(high, i16x8.extmul_high_i8x16_s(codes, bytes));
      w += pixel;
      if (++j == size) {
        j = 0;
        i++;
      }
    }
    a0 = i32x4.add(a0, i32x4.extend_low_i16x8_s(low));
    a1 = i32x4.add(a1, i32x4.extend_high_i16x8_s(low));
    a2 = i32x4.add(a2, i32x4.extend_low_i16x8_s(high));
    a3 = i32x4.add(a3, i32x4.extend_high_i16x8_s(high));
  }
  v128.store(y, Fx16.bytes(a0, a1, a2, a3, quant, halfOf(shift), shift, leastOf(relu)));
}
