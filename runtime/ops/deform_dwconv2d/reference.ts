// Reference of `deform_dwconv2d`; bit-exact.
import { LANES, pixelBytes } from "../../image/format.ts";
import { fx16Of, unpackWeights } from "../../image/weights.ts";
import { FX16_ZERO, fx16 } from "../../num/fx16.ts";
import type { Operands } from "../define.ts";
import { reader, signed, writePixel } from "../windowed.ts";
import { MOST_DILATION } from "./op.ts";

export function reference({ tensors, values: v }: Operands): void {
  const codes = unpackWeights("dw8", [9, 1, v.channels], tensors.w as Uint8Array);
  const dilations = signed(tensors.dilation as Uint8Array);
  for (let image = 0; image < v.rows; image++) {
    const x = reader(tensors.x as Uint8Array, image * v.xs, v.height, v.width, v.channels);
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++) {
        const s = Math.min(dilations[image * v.ds + (r * v.ow + q) * LANES] - FX16_ZERO, MOST_DILATION);
        writePixel(tensors.y as Uint8Array, image * v.ys + (r * v.ow + q) * pixelBytes(v.channels), v.channels, (c) => {
          let sum = 0;
          for (let i = -1; i <= 1; i++) for (let j = -1; j <= 1; j++) sum += codes[(3 * (i + 1) + j + 1) * v.channels + c] * x(r * v.stride + s * i, q * v.stride + s * j, c);
          return fx16(sum, fx16Of(tensors.quant as Uint8Array, c, v.shift, v.relu === 1));
        });
      }
  }
}
