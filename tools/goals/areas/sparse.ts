// Goals of sparse activations: only the work that matters.
import type { Area } from "../goal.ts";
import { loss, macs, worst } from "../sparse/delta.ts";

export const area: Area = {
  name: "sparse",
  goals: [
    {
      id: "sparse.delta_macs",
      figure: "digits that move through an int8 CNN: multiply-adds of computing all over those of the stream",
      unit: "ratio",
      must: { op: ">=", value: 3 },
      measure: macs,
    },
    { id: "sparse.delta_loss", figure: "accuracy that the int8 stream loses against f32", unit: "points", must: { op: "<=", value: 1 }, measure: loss },
    { id: "sparse.delta_worst", figure: "a stream of noise: its time over that without a stream, 1 thread", unit: "ratio", must: { op: "<=", value: 1.1 }, measure: worst },
  ],
};
