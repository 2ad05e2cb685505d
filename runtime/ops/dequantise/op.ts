// Stored bytes of an image as numbers: y[c] = (byte + 128 − zero) · factor for the channels of a 1 × 1 image; y f32 [rows, k].
import { defineOp } from "../define.ts";

export const op = defineOp(
  "dequantise",
  { rows: "rows", x: "in", xs: "stride x", y: "out", ys: "stride y", k: "u32", zero: "u32", factor: "f32" },
  {
    variants: ["image"],
    formats: { image: { x: "image" } },
    shapes: { x: ["rows", 1, 1, "k"], y: ["rows", "k"] },
    complaint: (a) => (a.zero > 255 ? `zero is ${a.zero}, at most 255` : undefined),
    macs: (a) => a.k,
  },
);
