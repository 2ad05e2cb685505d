// What a rule of a recipe may say of the neurons that a feed-forward layer leaves out: what it is told, or a calibrator that finds it.
import { FFN_MODES } from "../../runtime/ops/select/control.ts";
import type { FfnRule } from "./byneurons.ts";
import { CALIBRATORS } from "./methods/neurons/catalogue.gen.ts";

/** What is wrong with the rule, if anything; to be read behind its text. */
export function ffnComplaint({ scheme, ffn }: { readonly scheme: string; readonly ffn?: FfnRule }): string | undefined {
  if (ffn === undefined) return undefined;
  if (scheme !== "q4n") return `leaves out neurons of ${scheme} weights; only q4n lies by neurons`;
  return ffn?.calibrate === undefined ? givenComplaint(ffn ?? {}) : calibrateComplaint(ffn);
}

function givenComplaint({ mode, eps = 0, topk }: FfnRule): string | undefined {
  const fine =
    FFN_MODES.includes(mode) &&
    mode !== "core" &&
    eps >= 0 &&
    eps < Number.POSITIVE_INFINITY &&
    (topk === undefined || (Number.isInteger(topk) && topk >= 1)) &&
    (mode !== "topk" || topk !== undefined);
  return fine ? undefined : "wants a feed-forward layer that is none of dense, exact, cett, topk, with eps of 0 or more or a whole topk of 1 or more";
}

function calibrateComplaint({ mode, eps, topk, calibrate }: FfnRule): string | undefined {
  const calibrator = Object.hasOwn(CALIBRATORS, mode) ? CALIBRATORS[mode] : undefined;
  if (!calibrator || eps !== undefined || topk !== undefined)
    return `calibrates what no calibrator finds, or what is given; ${Object.keys(CALIBRATORS).join(", ")} are calibrated, without eps and topk`;
  if (typeof calibrate !== "object" || calibrate === null || Array.isArray(calibrate)) return "has a calibrate that is no object of settings";
  const unknown = Object.keys(calibrate).find((name) => !Object.hasOwn(calibrator.settings, name));
  if (unknown) return `sets ${unknown}, which ${mode} does not have; it has ${Object.keys(calibrator.settings).join(", ")}`;
  const complaint = calibrator.complaint({ ...calibrator.settings, ...calibrate });
  return complaint && `cannot be calibrated: ${complaint}`;
}
