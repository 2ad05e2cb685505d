// Convolution of images: y[r, q, o] = f(Σ_{i, j, c} w[o, i·size + j, c] · x[r·stride + i − pad, q·stride + j − pad, c]).
// Variants w8, w4: x, y images of stored bytes (runtime/image/format.ts), w conv8 or conv4, f the requantisation fx16; outside lies the byte of zero,
// which w multiplies as it is stored. Variant f32: x, y f32 [rows, height, width, channels], w f32 [outputs, taps, channels], f adds bias f32 [outputs] and
// has a ReLU if asked for; outside lies 0. A 1 × 1 convolution of a 1 × 1 image is a linear.
import { defineOp } from "../define.ts";
import { badFx16, badWindow, vectors } from "../windowed.ts";

const bytes = (w: string) => ({ x: "image", w, quant: "fx16", y: "image" });

export const op = defineOp(
  "conv2d",
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
    outputs: "u32",
    size: "u32",
    stride: "u32",
    pad: "u32",
    shift: "u32",
    relu: "u32",
  },
  {
    variants: ["f32", "w8", "w4"],
    needs: { f32: ["bias"], w8: ["quant"], w4: ["quant"] },
    formats: { w8: bytes("conv8"), w4: bytes("conv4") },
    shapes: {
      x: ["rows", "height", "width", "channels"],
      w: ["outputs", "size*size", "channels"],
      quant: ["outputs"],
      bias: ["outputs"],
      y: ["rows", "oh", "ow", "outputs"],
    },
    complaint: (a) => badWindow(a, a.size, a.size, a.pad) ?? badFx16(a),
    pieces: (a, rows) => rows * a.oh,
    macs: (a) => a.oh * a.ow * vectors(a.outputs) * a.size * a.size * vectors(a.channels),
  },
);
