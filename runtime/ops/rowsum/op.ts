// y = x W · channels (+ bias): the product with W from its other side, y_c = Σ_j x_j W[j, c], for the last matrix of a feed-forward layer whose rows are
// neurons. W [n, k] packed as q4n, of which only the codes count: its scales are part of x (runtime/ops/hidden). x i8tok [rows, n]; with picks
// (runtime/ops/select/list.ts: byte offsets of rows in w, one row of x only) the first codes of x are those of the rows picked, and then zeros. Rows of
// picks may be those of `compact`, or, where none are listed, its first, as many as are counted.
// channels f32 [k], bias f32 [k], y f32 [rows, k].
// In a graph x is f32 and there are no picks; mode, eps and topk say what the layer leaves out (runtime/ops/select/control.ts) until the host says
// something else, and lowering (runtime/plan/neurons.ts) makes the steps that do.
import { type Attributes, defineOp } from "../define.ts";
import { FFN_MODES } from "../select/control.ts";

function complaint({ mode, eps, topk, n }: Attributes): string | undefined {
  if (mode >= FFN_MODES.length) return `mode ${mode} is none of ${FFN_MODES.join(", ")}`;
  if (FFN_MODES[mode] === "core") return "mode core is for a session, not for a file";
  if (!(eps >= 0)) return `eps is ${eps}, not 0 or more`;
  if (FFN_MODES[mode] === "topk" && !(topk >= 1 && topk <= n)) return `topk is ${topk}, not 1 to ${n}`;
  return undefined;
}

export const op = defineOp(
  "rowsum",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    picks: "in?",
    w: "in",
    compact: "in?",
    channels: "in",
    bias: "in?",
    y: "out",
    ys: "stride y",
    n: "u32",
    k: "u32",
    mode: "u32",
    eps: "f32",
    topk: "u32",
  },
  {
    variants: [""],
    complaint,
    weights: { w: "q4n" },
    shapes: { x: ["rows", "n"], w: ["n", "k"], channels: ["k"], bias: ["k"], y: ["rows", "k"] },
    // narrower ones would read lines of memory for a few bytes of each
    pieces: (a) => Math.ceil(a.k / 128),
    macs: (a) => a.n * a.k,
  },
);
