// RMSNorm of each head, in place: every one of `heads` segments of `dh` floats of a row is normalised by itself (query/key norm of
// Qwen 3 and Gemma 3). x f32 [rows, heads·dh], weight f32 [dh] shared by the heads; y = x / sqrt(mean(x²) + eps) · (weight + offset).
import { defineOp } from "../define.ts";

export const op = defineOp(
  "headnorm",
  {
    rows: "rows",
    x: "inout",
    xs: "stride x",
    weight: "in",
    heads: "u32",
    dh: "u32",
    eps: "f32",
    offset: "f32",
  },
  { shapes: { x: ["rows", "heads*dh"], weight: ["dh"] } },
);
