// y = cap · tanh(x / cap), f32 [rows, k] (Gemma 2's logit soft-capping).
import { defineOp } from "../define.ts";

export const op = defineOp(
  "softcap",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    y: "out",
    ys: "stride y",
    k: "u32",
    cap: "f32",
  },
  { perRow: true, shapes: { x: ["rows", "k"], y: ["rows", "k"] } },
);
