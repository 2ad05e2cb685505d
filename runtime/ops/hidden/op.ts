// Second half of what lies between the matrices of a sparse feed-forward layer: h = s · u (or s), without what mode cett drops, times the scales of the
// rows of w, as i8tok rows for `rowsum`. s, u f32 [rows, n], w [n, k] q4n (its scales), norms f32 [n] (of the neurons' rows as they stand, for cett),
// control u32 (runtime/ops/select/control.ts). hidden: h as f32, 0 where it is dropped.
// With picks (runtime/ops/select/list.ts; one row) y is the codes of the rows picked, then zeros: those of `only` whose code is not 0; all of
// them in mode dense, or where `only` stands for all and more than the limit are left.
// Where `only` counts rows of the compact matrix, the first values of s and u are theirs, the scales are those of `compact`, and so are the rows of picks,
// listed or in order; `core` says which neurons they are. Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "hidden",
  {
    rows: "rows",
    s: "in",
    ss: "stride s",
    u: "in?",
    us: "stride u",
    only: "in?",
    core: "in?",
    w: "in",
    compact: "in?",
    norms: "in?",
    control: "inout",
    y: "out",
    ys: "stride y",
    picks: "out?",
    hidden: "out?",
    hs: "stride hidden",
    n: "u32",
    k: "u32",
  },
  { variants: [], weights: { w: "q4n" }, shapes: { s: ["rows", "n"], u: ["rows", "n"], w: ["n", "k"], norms: ["n"], y: ["rows", "n"], hidden: ["rows", "n"] } },
);
