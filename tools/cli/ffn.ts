// The option --ffn of verbs that run a model, and the words about what it came to.
import { BETA } from "../../runtime/cores/rank.ts";
import { SkintError } from "../../runtime/errors.ts";
import { FFN_MODES, type FfnMode } from "../../runtime/ops/select/control.ts";
import { STORES, type Store } from "../../runtime/session/compact.ts";
import { type CoreOptions, GUIDES, type Guide } from "../../runtime/session/coreoptions.ts";
import type { CoreReport } from "../../runtime/session/cores.ts";
import type { FfnOptions, FfnReport } from "../../runtime/session/ffn.ts";
import type { VerbOption } from "../verb.ts";

const refuse = (text: string): never => {
  throw new SkintError(
    "usage",
    `--ffn is ${text}; give ${FFN_MODES.join(", ")}, cett:<eps>, topk:<neurons> or core:<parts>: ${GUIDES.join(", ")}, alpha, beta, refresh=<tokens>, window=<tokens>, store=<${STORES.join("|")}>, magnitude`,
    { what: "--ffn" },
  );
};

/** `dense`, `exact`, `cett`, `cett:0.02`, `topk:64`, `core`, `core:stable,0.4,0.2,refresh=64` … Throws `usage`. */
export function parseFfn(text: string): FfnOptions {
  const [name, value, ...rest] = text.split(":");
  const mode = name as FfnMode;
  if (!FFN_MODES.includes(mode) || rest.length) return refuse(text);
  if (value === undefined) return { mode };
  if (mode === "core") return { mode, ...parseCore(value, text) };
  if (mode !== "cett" && mode !== "topk") return refuse(text);
  return mode === "cett" ? { mode, eps: numberOf(value, text) } : { mode, topk: numberOf(value, text) };
}

function numberOf(part: string, text: string): number {
  const value = Number(part);
  return part === "" || Number.isNaN(value) ? refuse(text) : value;
}

/** Parts with commas between them: a guide, the first number alpha, the second beta, `refresh=`, `window=`, `store=`, the signal. */
function parseCore(parts: string, text: string): CoreOptions {
  const found: { -readonly [K in keyof CoreOptions]: CoreOptions[K] } = {};
  const put = <K extends keyof CoreOptions>(key: K, value: CoreOptions[K]) => {
    if (found[key] !== undefined) refuse(text);
    found[key] = value;
  };
  for (const part of parts.split(",")) {
    const [key, value] = part.split("=");
    if (GUIDES.includes(part as Guide)) put("guide", part as Guide);
    else if (part === "magnitude") put("signal", part);
    else if (key === "store" && STORES.includes(value as Store)) put(key, value as Store);
    else if (value !== undefined && (key === "refresh" || key === "window")) put(key, numberOf(value, text));
    else put(found.alpha === undefined ? "alpha" : "beta", numberOf(part, text));
  }
  return found;
}

/** Share of the neurons for whose rows a model is loaded with room, as an option asks for it: none where cores are not copied, or the option is refused. */
export function roomFor(ffn: FfnOptions | undefined): number | undefined {
  const beta = ffn?.beta ?? BETA;
  return ffn?.mode === "core" && ffn.store !== "gather" && beta > 0 && beta <= 1 ? beta : undefined;
}

export const FFN_OPTION: VerbOption = {
  flags: "--ffn <mode>",
  description: `what feed-forward layers leave out, where they lie by neurons (w4n): ${FFN_MODES.join(", ")}; with cett:<eps>, topk:<neurons>, core:<${GUIDES.join("|")}>,<alpha>,<beta>,refresh=<tokens>,store=<${STORES.join("|")}>`,
  parse: parseFfn,
};

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** ", of 80 prompt tokens (auto: …), made anew 2 times": what the core came from. */
function coreWords({ made, why, tokens, refreshes, cluster, store, storeBytes }: CoreReport): string {
  const from = made === "none" ? "" : `, ${made}${cluster === undefined ? "" : ` (cluster ${cluster})`} after ${tokens} prompt tokens`;
  return `${from} (${why})${refreshes ? `, made anew ${refreshes} times` : ""}${storeBytes ? `, ${store}: ${(storeBytes / 1e6).toFixed(1)} MB of rows copied` : ""}`;
}

/** "; feed-forward exact (as the model says): 41.3 % of rows left out", or nothing where it cannot be. */
export function ffnLine(report: FfnReport | undefined): string {
  if (!report?.steps) return "";
  const back = report.layers.reduce((sum, l) => sum + l.fallbacks, 0);
  const all = report.steps * report.layers.length;
  const why = report.core ? coreWords(report.core) : ` (${report.why})`;
  return `; feed-forward ${report.mode}${why}: ${percent(report.skipped)} of its rows left out${back ? `, lists too long in ${percent(back / all)} of layers (limit ${percent(report.limit.share)}, ${report.limit.from})` : ""}`;
}
