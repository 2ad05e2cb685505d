// Causal grouped-query attention of rows of q over the cache: row r stands at p = pos + r and sees positions
// max(0, p - window + 1) … p (window 0: all). Query head h reads key/value head h / (heads / kvheads).
// s = softcap(scale · q·k), softcap(s) = cap · tanh(s / cap) if cap > 0; y = softmax(s) · v.
// q f32 [rows, heads·dh], caches as written by `kvappend` (the variant, `f32`, `f16` or `i8`, names the cache format), y f32 [rows, heads·dh].
// pattern (optional): f32 [rows, heads, capacity], the softmax weights, zero elsewhere.
// scores: scratch f32, a row a unit; parts: f32 [rows, heads, blocks of the capacity, partWords], written instead of y, to be put together
// by \`attentionmerge\` (sizes: parts.ts). Lowering makes both.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "attention",
  {
    rows: "rows",
    q: "in",
    qs: "stride q",
    kcache: "in",
    vcache: "in",
    y: "out",
    ys: "stride y",
    scores: "out?",
    ss: "stride scores",
    parts: "out?",
    pattern: "out?",
    pos: "slot",
    heads: "u32",
    kvheads: "u32",
    dh: "u32",
    capacity: "u32",
    scale: "f32",
    softcap: "f32",
    window: "u32",
  },
  {
    variants: ["f32", "f16", "i8"],
    states: { kcache: "kv", vcache: "kv" },
    shapes: {
      q: ["rows", "heads*dh"],
      kcache: ["kvheads", "capacity", "dh"],
      vcache: ["kvheads", "capacity", "dh"],
      y: ["rows", "heads*dh"],
      scores: [64, "capacity"],
      parts: [],
      pattern: ["rows", "heads*capacity"],
    },
    complaint: (a) => (a.heads % a.kvheads ? `heads ${a.heads} is not a multiple of kvheads ${a.kvheads}` : undefined),
    macs: (a) => 2 * a.heads * a.dh * a.capacity,
  },
);
