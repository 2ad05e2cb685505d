// SparseGPT to 2:4 (Frantar and Alistarh 2023), jointly with rounding: of 4 columns the two stay whose loss (w / U[j, j])² is greatest, on the
// weights as they are when the columns' turn comes; the others become zero, and later columns make up for that and for rounding.
import type { IntegerScheme } from "../../../runtime/quant/scheme.ts";
import { roundWithFeedback } from "../feedback.ts";
import { calibratedOf, type Method, packInRuns } from "../method.ts";
import { refusesPruning, shareOf } from "../prune.ts";

export const method: Method = {
  name: "sparsegpt",
  summary: "2:4, with rounding in the same walk; later columns make up for what is pruned",
  needs: ["gram"],
  settings: { damping: 0.01 },
  refuses: refusesPruning,
  compress: (job) =>
    packInRuns(job, ({ scheme, settings }, w, _row, rows, out) =>
      roundWithFeedback(calibratedOf(job), scheme as IntegerScheme, { damping: settings.damping as number, activationOrder: false, share: shareOf(scheme) }, w, rows, out),
    ),
};
