// Token embedding: y[r] = scale * table[tokens[r]]. Shapes: tokens u32 [rows], table [vocab, k] in a weight scheme, y f32 [rows, k].
import { defineOp } from "../define.ts";

export const op = defineOp(
  "embed",
  {
    rows: "rows",
    tokens: "in",
    table: "in",
    y: "out",
    ys: "stride y",
    vocab: "u32",
    k: "u32",
    scale: "f32",
  },
  { variants: [""], weights: { table: "any" }, shapes: { tokens: ["rows", 1], table: ["vocab", "k"], y: ["rows", "k"] } },
);
