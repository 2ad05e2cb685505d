// Joins two images of `channels` channels each, shuffles their channels in two groups, and takes `count` channels of it from `from` on:
//     joined[2c] = a[c], joined[2c + 1] = b[c];    y[c] = joined[from + c].
// What ShuffleNet does between its blocks (specs/codenet.md §3): concatenation, shuffle, and the split that the next block begins with.
// Images of stored bytes that have one scale.
import { defineOp } from "../define.ts";
import { vectors } from "../windowed.ts";

export const op = defineOp(
  "shuffle",
  {
    rows: "rows",
    a: "in",
    sa: "stride a",
    b: "in",
    sb: "stride b",
    y: "out",
    ys: "stride y",
    height: "u32",
    width: "u32",
    channels: "u32",
    from: "u32",
    count: "u32",
  },
  {
    variants: ["image"],
    formats: { image: { a: "image", b: "image", y: "image" } },
    shapes: { a: ["rows", "height", "width", "channels"], b: ["rows", "height", "width", "channels"], y: ["rows", "height", "width", "count"] },
    complaint: (v) => (v.count >= 1 && v.from + v.count <= 2 * v.channels ? undefined : `channels ${v.from} to ${v.from + v.count} of ${2 * v.channels}`),
    pieces: (v, rows) => rows * v.height,
    macs: (v) => v.height * v.width * vectors(v.count),
  },
);
