// GPTQ (Frantar et al. 2023): rounds column by column, with the walk of feedback.ts.
import { hasMinimum, type IntegerScheme, isInteger, isSparse, type MinimumScheme, type Scheme } from "../../../runtime/quant/scheme.ts";
import { roundWithFeedback } from "../feedback.ts";
import { calibratedOf, type Method, packInRuns } from "../method.ts";

function refusal(scheme: Scheme): string | undefined {
  if (isSparse(scheme)) return "it keeps two of four weights, and this method does not choose which";
  return isInteger(scheme) || hasMinimum(scheme) ? undefined : "it has no integer codes that a method may choose";
}

export const method: Method = {
  name: "gptq",
  summary: "rounds column by column, later columns make up for the error of earlier ones",
  needs: ["gram"],
  settings: { damping: 0.01, activationOrder: false },
  refuses: refusal,
  compress: (job) =>
    packInRuns(job, ({ scheme, settings: { damping, activationOrder } }, w, _row, rows, out) =>
      roundWithFeedback(calibratedOf(job), scheme as IntegerScheme | MinimumScheme, { damping: damping as number, activationOrder: activationOrder as boolean }, w, rows, out),
    ),
};
