// y = x W · channels (+ bias): the product with W from its other side, y_c = Σ_j x_j W[j, c], for the last matrix of a feed-forward layer whose rows are
// neurons. W [n, k] packed as q4n, of which only the codes count: its scales are part of x (runtime/ops/hidden). x i8tok [rows, n]; with picks
// (runtime/ops/select/list.ts: byte offsets of rows in w, one row of x only) the first codes of x are those of the rows picked, and then zeros.
// channels f32 [k], bias f32 [k], y f32 [rows, k]. Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "rowsum",
  { rows: "rows", x: "in", xs: "stride x", picks: "in?", w: "in", channels: "in", bias: "in?", y: "out", ys: "stride y", n: "u32", k: "u32" },
  {
    variants: [],
    weights: { w: "q4n" },
    shapes: { x: ["rows", "n"], w: ["n", "k"], channels: ["k"], bias: ["k"], y: ["rows", "k"] },
    pieces: (a) => Math.ceil(a.k / 32),
    macs: (a) => a.n * a.k,
  },
);
