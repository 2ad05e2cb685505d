// The option --ffn of verbs that run a model, and the words about what it came to.
import { SkintError } from "../../runtime/errors.ts";
import { FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import type { FfnOptions, FfnReport } from "../../runtime/session/ffn.ts";
import type { VerbOption } from "../verb.ts";

/** A core is given by programs. */
const MODES: readonly FfnMode[] = FFN_MODES.filter((m) => m !== "core");

/** `dense`, `exact`, `cett`, `cett:0.02`, `topk:64` … Throws `usage`. */
export function parseFfn(text: string): FfnOptions {
  const [mode, value, ...rest] = text.split(":");
  const number = value === undefined ? undefined : Number(value);
  const takes = mode === "cett" || mode === "topk";
  if (!MODES.includes(mode as FfnMode) || rest.length || (value !== undefined && (!takes || value === "" || Number.isNaN(number))))
    throw new SkintError("usage", `--ffn is ${text}; give ${MODES.join(", ")}, cett:<eps> or topk:<neurons>`, { what: "--ffn" });
  return { mode: mode as FfnMode, ...(mode === "cett" ? { eps: number } : mode === "topk" ? { topk: number } : {}) };
}

export const FFN_OPTION: VerbOption = {
  flags: "--ffn <mode>",
  description: `what feed-forward layers leave out, where they lie by neurons (w4n): ${MODES.join(", ")}, with cett:<eps>, topk:<neurons>`,
  parse: parseFfn,
};

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** "; feed-forward exact (as the model says): 41.3 % of rows left out", or nothing where it cannot be. */
export function ffnLine(report: FfnReport | undefined): string {
  if (!report?.steps) return "";
  const back = report.layers.reduce((sum, l) => sum + l.fallbacks, 0);
  const all = report.steps * report.layers.length;
  return `; feed-forward ${report.mode} (${report.why}): ${percent(report.skipped)} of its rows left out${back ? `, lists too long in ${percent(back / all)} of layers` : ""}`;
}
