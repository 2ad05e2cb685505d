// Wanda to 2:4 (Sun et al. 2024): of 4 columns the two stay whose |w| times the length of their inputs, ‖x_j‖, is greatest; then to nearest.
import { calibratedOf, type Method, packInRuns } from "../method.ts";
import { pruned, refusesPruning, shareOf } from "../prune.ts";

export const method: Method = {
  name: "wanda",
  summary: "2:4 by magnitude times the inputs' length, the rest to nearest",
  needs: ["gram"],
  refuses: refusesPruning,
  compress(job) {
    const { gram, k } = calibratedOf(job).inputs;
    const length = Float64Array.from({ length: k }, (_, i) => Math.sqrt((gram as Float64Array)[i * k + i]));
    return packInRuns(job, ({ scheme }, w, _row, rows, out) =>
      scheme.encode(
        pruned(w, rows, k, shareOf(scheme), (v, i) => Math.abs(v) * length[i]),
        rows,
        k,
        out,
      ),
    );
  },
};
