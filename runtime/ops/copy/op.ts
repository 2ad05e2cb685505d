// Variant `rows`: y[r] = x[r], r < rows. Variant `last`: y[0] = x[rows-1]. f32 [rows, k].
import { defineOp } from "../define.ts";

export const op = defineOp(
  "copy",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    y: "out",
    ys: "stride y",
    k: "u32",
  },
  { variants: ["last"], shapes: { x: ["rows", "k"], y: ["*", "k"] } },
);
