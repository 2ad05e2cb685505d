// Reference of `pool`: bit-exact for stored bytes, f64 sums for floats.
import { pixelBytes } from "../../image/format.ts";
import { FX16_ZERO, fx16 } from "../../num/fx16.ts";
import type { Operands } from "../define.ts";
import { reader, writePixel } from "../windowed.ts";

export function reference({ tensors, values: v }: Operands, variant: string): void {
  for (let image = 0; image < v.rows; image++)
    for (let r = 0; r < v.oh; r++)
      for (let q = 0; q < v.ow; q++) {
        if (variant.endsWith("f32")) floats(tensors as Record<string, Float32Array>, v, variant, image, r, q);
        else {
          const x = reader(tensors.x as Uint8Array, image * v.xs, v.height, v.width, v.channels);
          const at = image * v.ys + (r * v.ow + q) * pixelBytes(v.channels);
          writePixel(tensors.y as Uint8Array, at, v.channels, (c) => {
            const seen = window(v, r, q).map(([a, b]) => x(a, b, c));
            if (variant === "max") return Math.max(...seen);
            const sum = seen.reduce((s, byte) => s + byte - FX16_ZERO, 0);
            return fx16(sum, { scale: v.scale, shift: v.shift, bias: 0, relu: true });
          });
        }
      }
}

/** Places of the window of output (r, q), outside ones too. */
function window(v: Operands["values"], r: number, q: number): [number, number][] {
  return Array.from({ length: v.kh * v.kw }, (_, t) => [r * v.stride + Math.floor(t / v.kw) - v.pad, q * v.stride + (t % v.kw) - v.pad]);
}

function floats({ x, y }: Record<string, Float32Array>, v: Operands["values"], variant: string, image: number, r: number, q: number): void {
  const inside = window(v, r, q).filter(([a, b]) => a >= 0 && b >= 0 && a < v.height && b < v.width);
  for (let c = 0; c < v.channels; c++) {
    const seen = inside.map(([a, b]) => x[image * v.xs + (a * v.width + b) * v.channels + c]);
    y[image * v.ys + (r * v.ow + q) * v.channels + c] = variant === "maxf32" ? Math.max(...seen) : seen.reduce((s, e) => s + e, 0) / seen.length;
  }
}
