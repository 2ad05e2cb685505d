// Reference of `conv2d`: bit-exact for stored bytes, f64 sums for floats.
import { pixelBytes } from "../../image/format.ts";
import { fx16Of, unpackWeights } from "../../image/weights.ts";
import { fx16 } from "../../num/fx16.ts";
import type { Operands } from "../define.ts";
import { reader, writePixel } from "../windowed.ts";

export function reference(o: Operands, variant: string): void {
  if (variant === "f32") floats(o);
  else bytes(o, variant);
}

function bytes({ tensors, values: v }: Operands, variant: string): void {
  const codes = unpackWeights(variant === "w4" ? "conv4" : "conv8", [v.outputs, v.size * v.size, v.channels], tensors.w as Uint8Array);
  for (let image = 0; image < v.rows; image++) {
    const x = reader(tensors.x as Uint8Array, image * v.xs, v.height, v.width, v.channels);
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++)
        writePixel(tensors.y as Uint8Array, image * v.ys + (r * v.ow + q) * pixelBytes(v.outputs), v.outputs, (o) => {
          const sum = windowSum(v, (i, j, c) => codes[(o * v.size * v.size + i * v.size + j) * v.channels + c] * x(r * v.stride + i - v.pad, q * v.stride + j - v.pad, c));
          return fx16(sum, fx16Of(tensors.quant as Uint8Array, o, v.shift, v.relu === 1));
        });
  }
}

function windowSum(v: Operands["values"], term: (i: number, j: number, c: number) => number): number {
  let sum = 0;
  for (let i = 0; i < v.size; i++) for (let j = 0; j < v.size; j++) for (let c = 0; c < v.channels; c++) sum += term(i, j, c);
  return sum;
}

function floats({ tensors, values: v }: Operands): void {
  const { x, w, bias, y } = tensors as Record<string, Float32Array>;
  const inside = (a: number, b: number) => a >= 0 && b >= 0 && a < v.height && b < v.width;
  for (let image = 0; image < v.rows; image++)
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++)
        for (let o = 0; o < v.outputs; o++) {
          const sum = windowSum(v, (i, j, c) => {
            const [a, b] = [r * v.stride + i - v.pad, q * v.stride + j - v.pad];
            return inside(a, b) ? w[(o * v.size * v.size + i * v.size + j) * v.channels + c] * x[image * v.xs + (a * v.width + b) * v.channels + c] : 0;
          });
          y[image * v.ys + (r * v.ow + q) * v.outputs + o] = v.relu ? Math.max(0, sum + bias[o]) : sum + bias[o];
        }
}
