// RMSNorm over rows: y = x / sqrt(mean(x²) + eps) * (weight + offset). x f32 [rows, k], weight f32 [k].
// Variant `f32` writes f32 [rows, k]; the others write rows of the activation format they name (runtime/act).
// Paper: Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", eq. 4. `offset` is 1 for Gemma.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "rmsnorm",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    weight: "in",
    y: "out",
    ys: "stride y",
    k: "u32",
    eps: "f32",
    offset: "f32",
    panel: "u32",
    range: "in?",
  },
  { perRow: true, shapes: { x: ["rows", "k"], weight: ["k"], y: ["rows", "k"], range: [1] } },
);
