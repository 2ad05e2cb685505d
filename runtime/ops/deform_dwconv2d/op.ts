// Square-deformable depthwise 3 × 3 convolution (specs/codenet.md §2): each output pixel has a whole dilation s of its own, shared by all channels,
//     y[r, q, c] = fx16(Σ_{i, j in −1…1} w[3·(i + 1) + j + 1, c] · x[r·stride + s·i, q·stride + s·j, c]),    s = min(dilation[r, q] + 128, 7).
// dilation: an image of one channel of stored bytes at the resolution of y. s = 0 takes the centre nine times; s = 1 is the ordinary convolution with
// a padding of 1. Images of stored bytes; outside lies the byte of zero.
import { defineOp } from "../define.ts";
import { badFx16, badWindow, vectors } from "../windowed.ts";

/** The greatest dilation. */
export const MOST_DILATION = 7;

const bytes = (w: string) => ({ x: "image", dilation: "image", w, quant: "fx16", y: "image" });

export const op = defineOp(
  "deform_dwconv2d",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    dilation: "in",
    ds: "stride dilation",
    w: "in",
    quant: "in",
    y: "out",
    ys: "stride y",
    height: "u32",
    width: "u32",
    channels: "u32",
    oh: "u32",
    ow: "u32",
    stride: "u32",
    shift: "u32",
    relu: "u32",
  },
  {
    variants: ["w8", "w4"],
    formats: { w8: bytes("dw8"), w4: bytes("dw4") },
    shapes: { x: ["rows", "height", "width", "channels"], dilation: ["rows", "oh", "ow", 1], w: [9, 1, "channels"], quant: ["channels"], y: ["rows", "oh", "ow", "channels"] },
    complaint: (a) => badWindow(a, 3, 3, 1) ?? badFx16(a),
    pieces: (a, rows) => rows * a.oh,
    macs: (a) => a.oh * a.ow * vectors(a.channels) * 9,
  },
);
