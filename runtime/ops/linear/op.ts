// y = x Wᵀ (+ bias) (+ residual). x [rows, k] in the activation format the scheme asks for (f32, or i8tok for integer schemes),
// W [n, k] packed in a weight scheme (the variant), y f32 [rows, n], bias f32 [n], residual f32 [rows, n].
// Two kernel families compute the same bits: `gemv` streams the weights once per row of x, `gemm` reuses them over a tile of rows.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "linear",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    w: "in",
    y: "out",
    ys: "stride y",
    n: "u32",
    k: "u32",
    bias: "in?",
    residual: "in?",
    rs: "stride residual",
  },
  { families: ["gemv", "gemm"], variants: [""], shapes: { x: ["rows", "k"], w: ["n", "k"], y: ["rows", "n"], bias: ["n"], residual: ["rows", "n"] } },
);
