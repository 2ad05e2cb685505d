// LayerNorm of each head: every one of `heads` segments of `dh` floats of a row by itself, y = (x − mean) / sqrt(var + eps) · weight + bias (biased
// variance). x, y f32 [rows, heads·dh]; weight, bias f32 [heads·dh]. Paper: Wu & He 2018, "Group Normalization", eq. 1, of rows without a width.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "groupnorm",
  {
    rows: "rows",
    x: "in",
    xs: "stride x",
    weight: "in",
    bias: "in",
    y: "out",
    ys: "stride y",
    heads: "u32",
    dh: "u32",
    eps: "f32",
  },
  { perRow: true, shapes: { x: ["rows", "heads*dh"], weight: ["heads*dh"], bias: ["heads*dh"], y: ["rows", "heads*dh"] } },
);
