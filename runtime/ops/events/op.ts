// What changed in an image since the step before: x against `before`, image of stored bytes [1, height, width, channels], which becomes x. The list
// (runtime/image/events.ts) gets an event for each pair of channels that differs; where its first word says that the step is dense, nothing but its
// counts, which are then zero. Streams are one image a step.
import { defineOp } from "../define.ts";
import { vectors } from "../windowed.ts";

export const op = defineOp(
  "events",
  { rows: "rows", x: "in", before: "inout", list: "inout", height: "u32", width: "u32", channels: "u32" },
  {
    variants: [],
    shapes: { x: ["rows", "height", "width", "channels"], before: [1, "height", "width", "channels"], list: [1, "height", "width", "channels"] },
    pieces: (a) => a.height,
    macs: (a) => a.height * a.width * vectors(a.channels),
  },
);
