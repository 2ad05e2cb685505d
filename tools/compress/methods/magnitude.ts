// 2:4 by magnitude: of 4 columns the two greatest |w| stay, the rest to nearest. The baseline that others are held against.
import { type Method, packInRuns } from "../method.ts";
import { pruned, refusesPruning, shareOf } from "../prune.ts";

export const method: Method = {
  name: "magnitude",
  summary: "2:4 by magnitude, the rest to nearest, no calibration",
  refuses: refusesPruning,
  compress: (job) => packInRuns(job, ({ scheme, k }, w, _row, rows, out) => scheme.encode(pruned(w, rows, k, shareOf(scheme), Math.abs), rows, k, out)),
};
