// Quantises rows of f32 [rows, k] into an activation format; the variant names the format (runtime/act/<format>.ts).
// With columns (runtime/graph/columns.ts) the row is arranged first.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "quantise",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    y: "out",
    ys: "stride y",
    k: "u32",
    panel: "u32",
    range: "in?",
    columns: "in?",
  },
  { variants: [], shapes: { x: ["rows", "k"], y: ["rows", "k"], columns: ["k"], range: [1] } },
);
