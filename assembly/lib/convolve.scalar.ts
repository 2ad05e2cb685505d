// Convolution of images of stored bytes without vectors. A unit owns rows of outputs.
import { Conv2dOp } from "../abi.gen";
import { requantise } from "./fx16.scalar";
import { pixelBytes } from "./image";
import { start } from "./split";

/** Code i of a block: a byte of conv8, a nibble of conv4. */
export function codeAt(w: usize, i: usize, nibbles: bool): i32 {
  if (!nibbles) return load<i8>(w + i);
  return ((<i32>load<u8>(w + (i >> 1)) >> ((<i32>i & 1) << 2)) & 15) - 8;
}

/** Sum of output o at (r, q) of the image at x. */
export function sumOf(op: Conv2dOp, x: usize, r: u32, q: u32, o: u32, nibbles: bool): i32 {
  const pixel = pixelBytes(op.channels);
  const taps = op.size * op.size;
  const w = <usize>op.w + (((<usize>(o >> 4) * taps * pixel) << 4) >> (nibbles ? 1 : 0));
  let sum: i32 = 0;
  for (let t: u32 = 0; t < taps; t++) {
    const a = r * op.stride + t / op.size - op.pad;
    const b = q * op.stride + (t % op.size) - op.pad;
    const inside = a < op.height && b < op.width;
    const at = x + (<usize>a * op.width + b) * pixel;
    for (let c: usize = 0; c < pixel; c++) {
      const i = ((<usize>t * (pixel >> 1) + (c >> 1)) << 5) + ((<usize>o & 15) << 1) + (c & 1);
      sum += codeAt(w, i, nibbles) * (inside ? <i32>load<i8>(at + c) : -128);
    }
  }
  return sum;
}

export function convolve(op: Conv2dOp, unit: u32, units: u32, nibbles: bool): void {
  const total = load<u32>(op.rows) * op.oh;
  const end = start(unit + 1, units, total);
  const pixel = pixelBytes(op.outputs);
  for (let i = start(unit, units, total); i < end; i++) {
    const x = <usize>op.x + <usize>(i / op.oh) * op.xs;
    const y = <usize>op.y + <usize>(i / op.oh) * op.ys;
    const r = i % op.oh;
    for (let q: u32 = 0; q < op.ow; q++) {
      const at = y + (<usize>r * op.ow + q) * pixel;
      for (let o: u32 = 0; o < <u32>pixel; o++) store<i8>(at + o, requantise(sumOf(op, x, r, q, o, nibbles), op.quant, o, op.shift, op.relu));
    }
  }
}
