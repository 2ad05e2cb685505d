// Reference of `dwconv2d`: bit-exact for stored bytes, f64 sums for floats.
import { pixelBytes } from "../../image/format.ts";
import { fx16Of, unpackWeights } from "../../image/weights.ts";
import { fx16 } from "../../num/fx16.ts";
import type { Operands } from "../define.ts";
import { reader, writePixel } from "../windowed.ts";

export function reference(o: Operands, variant: string): void {
  if (variant === "f32") floats(o);
  else bytes(o);
}

function bytes({ tensors, values: v }: Operands): void {
  const codes = unpackWeights("dw8", [v.size * v.size, 1, v.channels], tensors.w as Uint8Array);
  for (let image = 0; image < v.rows; image++) {
    const x = reader(tensors.x as Uint8Array, image * v.xs, v.height, v.width, v.channels);
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++)
        writePixel(tensors.y as Uint8Array, image * v.ys + (r * v.ow + q) * pixelBytes(v.channels), v.channels, (c) => {
          let sum = 0;
          for (let i = 0; i < v.size; i++)
            for (let j = 0; j < v.size; j++) sum += codes[(i * v.size + j) * v.channels + c] * x(r * v.stride + i - v.pad, q * v.stride + j - v.pad, c);
          return fx16(sum, fx16Of(tensors.quant as Uint8Array, c, v.shift, v.relu === 1));
        });
  }
}

function floats({ tensors, values: v }: Operands): void {
  const { x, w, bias, y } = tensors as Record<string, Float32Array>;
  for (let image = 0; image < v.rows; image++)
    for (let p = 0; p < v.oh * v.ow; p++)
      for (let c = 0; c < v.channels; c++) {
        let sum = bias[c];
        for (let t = 0; t < v.size * v.size; t++) {
          const a = Math.floor(p / v.ow) * v.stride + Math.floor(t / v.size) - v.pad;
          const b = (p % v.ow) * v.stride + (t % v.size) - v.pad;
          if (a >= 0 && b >= 0 && a < v.height && b < v.width) sum += w[t * v.channels + c] * x[image * v.xs + (a * v.width + b) * v.channels + c];
        }
        y[image * v.ys + p * v.channels + c] = v.relu ? Math.max(0, sum) : sum;
      }
}
