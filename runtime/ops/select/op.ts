// First half of what lies between the matrices of a sparse feed-forward layer: s = f(g), and which neurons are worth going on with.
// g, s f32 [rows, n]; control u32 (control.ts); kind as of `activate`. With `only` (list.ts; one row) the neurons to go on with are listed there:
// those that are not 0 in ReLU's modes, the k greatest |s| of mode topk (ties by number, zeros never, NaN before all), those of `core` in mode core,
// whose g alone is looked at; else all. Where `core` says that its rows are
// those of the compact matrices, the first values of g are theirs, and so are those of s. Without one (many rows) s is 0 where modes topk and core drop it. Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "select",
  { rows: "rows", g: "in", gs: "stride g", core: "in?", control: "inout", s: "out", ss: "stride s", only: "out?", n: "u32", kind: "u32" },
  { variants: [], shapes: { g: ["rows", "n"], s: ["rows", "n"] } },
);
