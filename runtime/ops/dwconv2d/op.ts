// Depthwise convolution of images: y[r, q, c] = f(Σ_{i, j} w[i·size + j, c] · x[r·stride + i − pad, q·stride + j − pad, c]).
// Variants w8, w4: images of stored bytes, w dw8 or dw4, f the requantisation fx16; outside lies the byte of zero. Variant f32: x, y f32
// [rows, height, width, channels], w f32 [taps, 1, channels], f adds bias f32 [channels] and has a ReLU if asked for.
import { defineOp } from "../define.ts";
import { badFx16, badWindow, vectors } from "../windowed.ts";

const bytes = (w: string) => ({ x: "image", w, quant: "fx16", y: "image" });

export const op = defineOp(
  "dwconv2d",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    w: "in",
    quant: "in?",
    bias: "in?",
    y: "out",
    ys: "stride y",
    height: "u32",
    width: "u32",
    channels: "u32",
    oh: "u32",
    ow: "u32",
    size: "u32",
    stride: "u32",
    pad: "u32",
    shift: "u32",
    relu: "u32",
  },
  {
    variants: ["f32", "w8", "w4"],
    needs: { f32: ["bias"], w8: ["quant"], w4: ["quant"] },
    formats: { w8: bytes("dw8"), w4: bytes("dw4") },
    shapes: { x: ["rows", "height", "width", "channels"], w: ["size*size", 1, "channels"], quant: ["channels"], bias: ["channels"], y: ["rows", "oh", "ow", "channels"] },
    complaint: (a) => badWindow(a, a.size, a.size, a.pad) ?? badFx16(a),
    pieces: (a, rows) => rows * a.oh,
    macs: (a) => a.oh * a.ow * vectors(a.channels) * a.size * a.size,
  },
);
