// Depthwise convolution of images of stored bytes without vectors, ordinary, of a stream, and square-deformable. A unit owns rows of outputs.
import { DeformDwconv2dOp, Deltadwconv2dOp, Dwconv2dOp } from "../abi.gen";
import { changed, isDense } from "./events";
import { requantise } from "./fx16.scalar";
import { dilationAt, pixelBytes } from "./image";
import { start } from "./split";

/** Byte of channel c of the pixel (v, u), which is of zero outside [height, width]. */
function byteAt(x: usize, v: u32, u: u32, height: u32, width: u32, pixel: usize, c: usize): i32 {
  return v < height && u < width ? <i32>load<i8>(x + (<usize>v * width + u) * pixel + c) : -128;
}

export function depthwise(op: Dwconv2dOp, unit: u32, units: u32): void {
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + <usize>(i / op.oh) * op.xs;
    const r = i % op.oh;
    const y = <usize>op.y + <usize>(i / op.oh) * op.ys + <usize>r * op.ow * pixel;
    for (let q: u32 = 0; q < op.ow; q++) pixelAt(op, x, y + <usize>q * pixel, r, q);
  }
}

/** All channels of output (r, q), to y. */
function pixelAt(op: Dwconv2dOp, x: usize, y: usize, r: u32, q: u32): void {
  const pixel = pixelBytes(op.channels);
  for (let c: usize = 0; c < pixel; c++) {
    let sum: i32 = 0;
    for (let t: u32 = 0; t < op.size * op.size; t++) {
      const v = r * op.stride + t / op.size - op.pad;
      const u = q * op.stride + (t % op.size) - op.pad;
      sum += <i32>load<i8>(<usize>op.w + <usize>t * pixel + c) * byteAt(x, v, u, op.height, op.width, pixel, c);
    }
    store<i8>(y + c, requantise(sum, op.quant, <u32>c, op.shift, op.relu));
  }
}

/** Of a stream: outputs in whose window anything changed, or all. */
export function depthwiseChanges(op: Deltadwconv2dOp, unit: u32, units: u32): void {
  if (!load<u32>(op.rows)) return;
  const end = start(unit + 1, units, op.oh);
  const pixel = pixelBytes(op.channels);
  const dense = isDense(op.list, op.height);
  for (let r = start(unit, units, op.oh); r < end; r++)
    for (let q: u32 = 0; q < op.ow; q++)
      if (dense || changed(op.list, op.height, op.width, r * op.stride - op.pad, q * op.stride - op.pad, op.size))
        // The record begins as dwconv2d's does.
        pixelAt(changetype<Dwconv2dOp>(changetype<usize>(op)), op.x, op.y + (<usize>r * op.ow + q) * pixel, r, q);
}

export function deformable(op: DeformDwconv2dOp, unit: u32, units: u32): void {
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.channels);
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + <usize>(i / op.oh) * op.xs;
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const s = dilationAt(<usize>op.dilation + <usize>(i / op.oh) * op.ds, r * op.ow + q);
      const y = <usize>op.y + <usize>(i / op.oh) * op.ys + (<usize>r * op.ow + q) * pixel;
      for (let c: usize = 0; c < pixel; c++) {
        let sum: i32 = 0;
        for (let t: u32 = 0; t < 9; t++) {
          const v = r * op.stride + (t / 3) * s - s;
          const u = q * op.stride + (t % 3) * s - s;
          sum += <i32>load<i8>(<usize>op.w + <usize>t * pixel + c) * byteAt(x, v, u, op.height, op.width, pixel, c);
        }
        store<i8>(y + c, requantise(sum, op.quant, <u32>c, op.shift, op.relu));
      }
    }
  }
}
