// Reference of `deltaconv2d`; bit-exact, the sums too. It is conv2d, as the ways there differ in nothing but their work: sums that were those of the image
// before must be those of this one.
import { pixelBytes } from "../../image/format.ts";
import { unpackWeights } from "../../image/weights.ts";
import { reference as conv2d } from "../conv2d/reference.ts";
import type { Operands } from "../define.ts";
import { reader } from "../windowed.ts";

export function reference(o: Operands, variant: string): void {
  conv2d(o, variant);
  if (o.values.rows > 0) sumsOf(o, variant);
}

/** Sums of x, those of padding outputs zero. */
function sumsOf({ tensors, values: v }: Operands, variant: string): void {
  const codes = unpackWeights(variant === "w4" ? "conv4" : "conv8", [v.outputs, v.size * v.size, v.channels], tensors.w as Uint8Array);
  const bytes = tensors.sums as Uint8Array;
  const sums = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const x = reader(tensors.x as Uint8Array, 0, v.height, v.width, v.channels);
  const padded = pixelBytes(v.outputs);
  sums.forEach((_, i) => {
    const [p, o] = [Math.floor(i / padded), i % padded];
    let sum = 0;
    for (let t = 0; t < v.size * v.size && o < v.outputs; t++)
      for (let c = 0; c < v.channels; c++) {
        const [a, b] = [Math.floor(p / v.ow) * v.stride + Math.floor(t / v.size) - v.pad, (p % v.ow) * v.stride + (t % v.size) - v.pad];
        sum += codes[(o * v.size * v.size + t) * v.channels + c] * x(a, b, c);
      }
    sums[i] = sum;
  });
}
