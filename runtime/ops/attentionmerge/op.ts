// Puts the parts of attention together that an `attention` step with `parts` made: for each row r and head the parts of blocks
// 0 … n − 1 of the positions that r sees are folded in order, y = Σ e^(m_b − m) · y_b / Σ e^(m_b − m) · l_b, m the greatest m_b.
// parts f32 [rows, heads, blocks of the capacity, partWords] (runtime/ops/attention/parts.ts), changed; y f32 [rows, heads·dh].
// Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "attentionmerge",
  { rows: "rows", parts: "inout", y: "out", ys: "stride y", pos: "slot", heads: "u32", dh: "u32", capacity: "u32", window: "u32" },
  { variants: [], shapes: { y: ["rows", "heads*dh"] }, pieces: (a, rows) => rows * a.heads },
);
