// Rotary position embedding, in place, over `heads` heads of `dh` floats that lie side by side in each row of x.
// table f32 [maxPosition, rot]: row p is cos(p θ_0), …, cos(p θ_{rot/2-1}), sin(p θ_0), …, sin(p θ_{rot/2-1}).
// pairing 0 rotates (x_i, x_{i+rot/2}) ("half", Hugging Face); pairing 1 rotates (x_2i, x_2i+1) ("interleaved", GPT-J, llama2.c).
// Row r stands at position pos + r. Paper: Su et al. 2021, "RoFormer", eq. 34.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "rope",
  {
    rows: "rows",
    x: "inout",
    xs: "stride x",
    table: "in",
    pos: "slot",
    heads: "u32",
    dh: "u32",
    rot: "u32",
    pairing: "u32",
  },
  {
    shapes: { x: ["rows", "heads*dh"], table: ["*", "rot"] },
    complaint: (a) => (a.rot > a.dh || a.rot % 2 ? `rot ${a.rot} must be even and at most dh ${a.dh}` : a.pairing > 1 ? `pairing ${a.pairing} is neither 0 nor 1` : undefined),
  },
);
