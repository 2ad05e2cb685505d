// y = x Wᵀ (+ bias) (+ residual). x [rows, k] f32 or in an activation format (runtime/act), W [n, k] packed in a weight scheme,
// y f32 [rows, n], bias f32 [n], residual f32 [rows, n]. In a graph x is f32, the tensor w names the scheme, and the variant names the
// activation format ("" = the scheme's own); kernels and references know both as one variant (variant.ts).
// Weights that are arranged come with their columns (runtime/graph/columns.ts); lowering hands them to who quantises x, kernels see none.
// Activations of a static format come with their range [1], which goes the same way.
// A path of low rank, y += up (down x) with down [r, k] and up [n, r], becomes steps of its own (runtime/plan/lowrank.ts).
// With `only` (runtime/ops/select/list.ts), which is lowering's and goes with q4n weights and one row of x, only the rows of W that it lists are multiplied
// and only their places of y are written. Where the list says that they are rows of the compact matrix, those of `compact` are multiplied, as many as it
// counts, and the first places of y are theirs.
// Two kernel families compute the same bits: `gemv` streams the weights once per row of x, `gemm` reuses them over a tile of rows.
import { ACTS } from "../../act/catalogue.gen.ts";
import { BLOCK_ROWS } from "../../quant/scheme.ts";
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
    columns: "in?",
    range: "in?",
    down: "in?",
    up: "in?",
    only: "in?",
    compact: "in?",
  },
  {
    families: ["gemv", "gemm"],
    variants: ["", ...Object.keys(ACTS)],
    weights: { w: "any", down: "any", up: "any" },
    perRow: true,
    shapes: { x: ["rows", "k"], w: ["n", "k"], y: ["rows", "n"], bias: ["n"], residual: ["rows", "n"], columns: ["k"], range: [1], down: ["*", "k"], up: ["n", "*"] },
    pieces: (a) => Math.ceil(a.n / BLOCK_ROWS),
    macs: (a) => a.n * a.k,
  },
);
