// Pooling of images over windows of kh × kw, moved by `stride`, a channel at a time.
// Variants max, avg: images of stored bytes. max: the greatest byte; outside lies the byte of zero, the least there is. avg: fx16 of the sum of the values
// (bytes plus 128; outside counts as zero) with one scale for all channels and no bias: scale ≈ 2^shift / (kh · kw). A window as large as the image is
// a global pool. Variants maxf32, avgf32: f32 [rows, height, width, channels]; outside counts for nothing, scale and shift are not used.
import { defineOp } from "../define.ts";
import { badFx16, badWindow, vectors } from "../windowed.ts";

const bytes = { x: "image", y: "image" };

/** Values that a sum of 24 bits has room for. */
const MOST_VALUES = 2 ** 15;

export const op = defineOp(
  "pool",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    y: "out",
    ys: "stride y",
    height: "u32",
    width: "u32",
    channels: "u32",
    oh: "u32",
    ow: "u32",
    kh: "u32",
    kw: "u32",
    stride: "u32",
    pad: "u32",
    scale: "u32",
    shift: "u32",
  },
  {
    variants: ["max", "avg", "maxf32", "avgf32"],
    formats: { max: bytes, avg: bytes },
    shapes: { x: ["rows", "height", "width", "channels"], y: ["rows", "oh", "ow", "channels"] },
    complaint: (a) =>
      badWindow(a, a.kh, a.kw, a.pad) ??
      badFx16({ ...a, relu: 0 }) ??
      (a.pad >= Math.min(a.kh, a.kw) ? `padding ${a.pad} of a window of ${a.kh} × ${a.kw}` : undefined) ??
      (a.kh * a.kw > MOST_VALUES || a.scale >= 2 ** 15 ? `a window of ${a.kh} × ${a.kw} with scale ${a.scale}, whose sums do not fit` : undefined),
    pieces: (a, rows) => rows * a.oh,
    macs: (a) => a.oh * a.ow * vectors(a.channels) * a.kh * a.kw,
  },
);
