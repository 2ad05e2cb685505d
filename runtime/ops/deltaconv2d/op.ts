// conv2d of a stream, sigma-delta (specs/delta-activation.md §§3-6): `sums` i32 [oh, ow, outputs, padded to 16] stays from step to step, and so does y.
// Where the list of events (runtime/image/events.ts) lets the step go by them, each sum gets the products of what changed in its
// window, and outputs whose window did not change are left as they are; else all is computed of x. Whole numbers, so that y is what conv2d gives, bit for
// bit, whatever the way. Fields are those of conv2d, whose record this one begins with, and then its own.
import { op as conv2d } from "../conv2d/op.ts";
import { defineOp } from "../define.ts";

export const op = defineOp(
  "deltaconv2d",
  { ...conv2d.fields, y: "inout", list: "in", sums: "inout" },
  {
    variants: [],
    shapes: { ...conv2d.shapes, list: [1, "height", "width", "channels"] },
    complaint: conv2d.complaint,
    pieces: (a) => a.oh,
    macs: conv2d.macs,
  },
);
