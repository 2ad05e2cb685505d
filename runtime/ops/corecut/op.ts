// Which neurons are a token's core, of rows of a feed-forward layer while a prompt is counted (specs/coreinfer.md §4): s, f32 [rows, n], becomes what they
// are ranked by, h = s · u (or s) where it is above 0, else 0 (|h| for the signal magnitude; NaN is never ranked). Of P such values the
// k = round half even(f32(alpha · P)), at least one, greatest are the core, ties by number. cuts u32 [rows, 2]: bits of the least of them (0x7fffffff: none fires), and
// the number of the last neuron with just these bits that is in, n − 1 if all are. Does nothing while control (runtime/ops/select/control.ts) names no signal.
// Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "corecut",
  { rows: "rows", s: "inout", ss: "stride s", u: "in?", us: "stride u", control: "in", cuts: "out", cs: "stride cuts", n: "u32" },
  { variants: [], shapes: { s: ["rows", "n"], u: ["rows", "n"], cuts: ["rows", 2] } },
);
