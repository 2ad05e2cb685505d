// Scores one model on a text after the other, and measures how fast they decode, turn by turn.
import { SkintError } from "../../runtime/errors.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import type { Model } from "../../runtime/session/model.ts";
import { type Scores, scoreText } from "../../runtime/stats/perplexity.ts";
import { quantile } from "../../runtime/stats/quantile.ts";
import { openFile } from "../../targets/hosts/node/files.ts";
import { measure } from "../bench/measure.ts";
import type { Context } from "../cli/context.ts";
import { openModel, ranOn } from "../cli/model.ts";
import type { FfnCalibration } from "../compress/leaveout.ts";
import type { MatrixReport } from "../compress/method.ts";
import { isCheckpoint } from "../compress/open.ts";
import { evaluate, type Split, splitOfCard } from "./evaluate.ts";

export interface Row {
  readonly model: string;
  readonly recipe: string;
  readonly bytes: number;
  readonly build: string;
  readonly threads: number;
  readonly tuned: boolean;
  readonly fallbacks: readonly string[];
  readonly window: number;
  readonly stride: number;
  readonly split: Split;
  readonly tokens: number;
  readonly textBytes: number;
  readonly bitsPerByte: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly perplexity: number;
  /** Decoding, if it was measured: tokens a second. */
  readonly rate?: Rate;
}

export interface Rate {
  readonly median: number;
  /** Quartiles. */
  readonly low: number;
  readonly high: number;
}

export type Options = Readonly<Record<string, unknown>>;

/** How a text is cut: the same for all models, what the first one, or the options, say. */
export interface Frame {
  readonly split: Split;
  readonly window: number;
  readonly stride: number;
}

function frame(model: Model, o: Options): Frame {
  const window = Math.min((o.window as number | undefined) ?? model.engine.options.context, model.engine.options.context);
  const stride = (o.stride as number | undefined) ?? Math.max(1, window >> 1);
  if (stride > window) throw new SkintError("usage", `--stride ${stride} is longer than the window of ${window} tokens; tokens between would not be scored`, { what: "--stride" });
  return { split: (o.split as Split | undefined) ?? splitOfCard(model.card), window, stride };
}

export interface Scored {
  readonly row: Row;
  readonly scores: Scores;
  readonly how: Frame;
}

/** @param fixed how the text is cut, if another model has decided it */
export async function scoreOne(path: string, text: string, o: Options, fixed: Frame | undefined, context: Context): Promise<Scored> {
  const opened = await openModel(path, o, context, { score: true });
  const { model } = opened;
  const progress = context.progress(`scoring with ${path}`, "tokens");
  try {
    const how = fixed ?? frame(model, o);
    const scores = await evaluate(model, text, {
      ...how,
      tokens: o.tokens as number | undefined,
      signal: context.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    const s = scoreText(scores);
    const row: Row = {
      model: path,
      recipe: model.recipe,
      bytes: opened.bytes,
      ...ranOn(opened),
      ...how,
      tokens: s.tokens,
      textBytes: s.bytes,
      bitsPerByte: s.bitsPerByte,
      low: s.interval?.low ?? null,
      high: s.interval?.high ?? null,
      perplexity: s.perplexity,
    };
    return { row, scores, how };
  } finally {
    progress.end();
    model.close();
  }
}

const ROUNDS = 4;
const PROMPT = 16;
const DECODE = 24;

/** Tokens a second of each model: all take turns, so that what else the machine does meets all alike. */
export async function ratesOf(paths: readonly string[], options: (i: number) => Options, context: Context): Promise<Rate[]> {
  const rates = paths.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, path] of paths.entries()) {
      const { model } = await openModel(path, options(i), context, { golden: false });
      try {
        const promptTokens = Math.min(PROMPT, model.engine.options.context - 1);
        const decodeTokens = Math.min(DECODE, model.engine.options.context - promptTokens);
        const { decodeMs } = await measure(model.engine, () => performance.now(), { promptTokens, decodeTokens, rounds: 1, signal: context.signal });
        rates[i].push(...decodeMs.map((ms) => 1000 / ms));
      } finally {
        model.close();
      }
    }
  return rates.map((r) => ({ median: quantile(r, 0.5), low: quantile(r, 0.25), high: quantile(r, 0.75) }));
}

/** The report that compression wrote into a file. */
export interface Report {
  readonly matrices?: readonly MatrixReport[];
  /** What feed-forward layers leave out, where that was calibrated. */
  readonly ffn?: FfnCalibration;
}

/** Empty for a checkpoint or a file that was not calibrated. */
export async function reportOf(path: string): Promise<Report> {
  if (isCheckpoint(path)) return {};
  const pack = await openPack(await openFile(path));
  try {
    const text = await pack.document("report");
    return text === undefined ? {} : JSON.parse(text);
  } finally {
    await pack.close();
  }
}

/** What compression wrote into a file about its matrices. */
export const reportsOf = async (path: string): Promise<readonly MatrixReport[]> => (await reportOf(path)).matrices ?? [];
