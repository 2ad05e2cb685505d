// y = a + b, f32 [rows, k].
import { defineOp } from "../define.ts";

export const op = defineOp(
  "add",
  {
    rows: "rows",
    a: "in",
    sa: "stride a",
    b: "in",
    sb: "stride b",
    y: "out",
    ys: "stride y",
    k: "u32",
  },
  { perRow: true, shapes: { a: ["rows", "k"], b: ["rows", "k"], y: ["rows", "k"] } },
);
