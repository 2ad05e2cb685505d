// Convolution of a stream without vectors: sums that stay get the products of what changed, or are made anew. A unit owns rows of outputs.
import { Conv2dOp, Deltaconv2dOp } from "../abi.gen";
import { codeAt, sumOf } from "./convolve.scalar";
import { countAt, entryAt, isDense } from "./events";
import { requantise } from "./fx16.scalar";
import { pixelBytes } from "./image";
import { start } from "./split";

export function convolveChanges(op: Deltaconv2dOp, unit: u32, units: u32, nibbles: bool): void {
  if (!load<u32>(op.rows)) return;
  const end = start(unit + 1, units, op.oh);
  const padded = <u32>pixelBytes(op.outputs);
  const dense = isDense(op.list, op.height);
  for (let r = start(unit, units, op.oh); r < end; r++)
    for (let q: u32 = 0; q < op.ow; q++)
      for (let o: u32 = 0; o < padded; o++) {
        const at = <usize>(r * op.ow + q) * padded + o;
        const sums = <usize>op.sums + (at << 2);
        // The record begins as conv2d's does.
        const sum = dense ? sumOf(changetype<Conv2dOp>(changetype<usize>(op)), op.x, r, q, o, nibbles) : load<i32>(sums) + changeOf(op, r, q, o, nibbles);
        store<i32>(sums, sum);
        store<i8>(op.y + at, requantise(sum, op.quant, o, op.shift, op.relu));
      }
}

/** What the events in the window of (r, q) add to the sum of output o. */
function changeOf(op: Deltaconv2dOp, r: u32, q: u32, o: u32, nibbles: bool): i32 {
  const pixel = pixelBytes(op.channels);
  const taps = op.size * op.size;
  const w = <usize>op.w + (((<usize>(o >> 4) * taps * pixel) << 4) >> (nibbles ? 1 : 0));
  let sum: i32 = 0;
  for (let t: u32 = 0; t < taps; t++) {
    const v = r * op.stride + t / op.size - op.pad;
    const u = q * op.stride + (t % op.size) - op.pad;
    if (v >= op.height || u >= op.width) continue;
    const place = v * op.width + u;
    let entry = entryAt(op.list, op.height, op.width, op.channels, place);
    for (const stop = entry + ((<usize>load<u32>(countAt(op.list, op.height, place))) << 3); entry < stop; entry += 8) {
      const i = ((<usize>t * (pixel >> 1) + load<u32>(entry)) << 5) + ((<usize>o & 15) << 1);
      sum += codeAt(w, i, nibbles) * <i32>load<i16>(entry, 4) + codeAt(w, i + 1, nibbles) * <i32>load<i16>(entry, 6);
    }
  }
  return sum;
}
