// dwconv2d of a stream (specs/delta-activation.md §3): y stays from step to step. Where the list of events (runtime/image/events.ts) lets the step go by
// them, outputs in whose window anything changed are made anew of x, and the others are left as they are; else all are. A window is a few taps of one
// channel, so that to make it anew costs less than sums that stay. y is what dwconv2d gives, bit for bit. Fields are those of dwconv2d, whose record this
// one begins with, and then its own.
import { defineOp } from "../define.ts";
import { op as dwconv2d } from "../dwconv2d/op.ts";

export const op = defineOp(
  "deltadwconv2d",
  { ...dwconv2d.fields, y: "inout", list: "in" },
  {
    variants: [],
    shapes: { ...dwconv2d.shapes, list: [1, "height", "width", "channels"] },
    complaint: dwconv2d.complaint,
    pieces: (a) => a.oh,
    macs: dwconv2d.macs,
  },
);
