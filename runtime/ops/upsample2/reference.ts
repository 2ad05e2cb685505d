// Reference of `upsample2`; bit-exact.
import { pixelBytes } from "../../image/format.ts";
import type { Operands } from "../define.ts";
import { reader, writePixel } from "../windowed.ts";

export function reference({ tensors, values: v }: Operands): void {
  for (let image = 0; image < v.rows; image++) {
    const x = reader(tensors.x as Uint8Array, image * v.xs, v.height, v.width, v.channels);
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++) writePixel(tensors.y as Uint8Array, image * v.ys + (r * v.ow + q) * pixelBytes(v.channels), v.channels, (c) => x(r >> 1, q >> 1, c));
  }
}
