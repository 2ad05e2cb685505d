// LayerNorm over rows: y = (x - mean) / sqrt(var + eps) * weight + bias (biased variance). x f32 [rows, k], weight, bias f32 [k].
// Variant `f32` writes f32 [rows, k]; the others rows of the activation format they name (runtime/act). Paper: Ba et al. 2016, eq. 4.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "layernorm",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    weight: "in",
    bias: "in?",
    y: "out",
    ys: "stride y",
    k: "u32",
    eps: "f32",
    panel: "u32",
    range: "in?",
  },
  { perRow: true, shapes: { x: ["rows", "k"], weight: ["k"], bias: ["k"], y: ["rows", "k"], range: [1] } },
);
