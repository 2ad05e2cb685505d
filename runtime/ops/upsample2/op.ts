// Nearest-neighbour upsampling of images by two: y[2r + i, 2q + j, c] = x[r, q, c] for i, j in 0, 1. Images of stored bytes.
import { defineOp } from "../define.ts";
import { vectors } from "../windowed.ts";

export const op = defineOp(
  "upsample2",
  { rows: "rows", x: "in", xs: "stride x", y: "out", ys: "stride y", height: "u32", width: "u32", channels: "u32", oh: "u32", ow: "u32" },
  {
    variants: ["image"],
    formats: { image: { x: "image", y: "image" } },
    shapes: { x: ["rows", "height", "width", "channels"], y: ["rows", "oh", "ow", "channels"] },
    complaint: (a) => (a.oh === 2 * a.height && a.ow === 2 * a.width ? undefined : `${a.oh} × ${a.ow} is not twice ${a.height} × ${a.width}`),
    pieces: (a, rows) => rows * a.height,
    macs: (a) => a.height * a.width * vectors(a.channels),
  },
);
