// Reference of `shuffle`; bit-exact.
import { pixelBytes } from "../../image/format.ts";
import type { Operands } from "../define.ts";
import { reader, writePixel } from "../windowed.ts";

export function reference({ tensors, values: v }: Operands): void {
  for (let image = 0; image < v.rows; image++) {
    const halves = [reader(tensors.a as Uint8Array, image * v.sa, v.height, v.width, v.channels), reader(tensors.b as Uint8Array, image * v.sb, v.height, v.width, v.channels)];
    for (let r = 0; r < v.height; r++)
      for (let q = 0; q < v.width; q++)
        writePixel(tensors.y as Uint8Array, image * v.ys + (r * v.width + q) * pixelBytes(v.count), v.count, (c) => halves[(v.from + c) & 1](r, q, (v.from + c) >> 1));
  }
}
