// Counts the neurons of tokens' cores (runtime/ops/corecut): for each row in turn, counts u32 [n] += 1 and mass f32 [n] += s of those neurons whose s, f32
// [rows, n], is above the row's cut, or equal to it up to the neuron named beside it. Steps of a prompt in any cut give the bits of one. Does nothing
// while control (runtime/ops/select/control.ts) names no signal. Made by lowering only.
import { defineOp } from "../define.ts";

export const op = defineOp(
  "tally",
  { rows: "rows", s: "in", ss: "stride s", cuts: "in", cs: "stride cuts", control: "in", counts: "inout", mass: "inout", n: "u32" },
  { variants: [], shapes: { s: ["rows", "n"], cuts: ["rows", 2], counts: ["n"], mass: ["n"] }, pieces: (a) => Math.ceil(a.n / 8) },
);
