// Quality figures of the default model: against its training framework, a 5-gram model, and itself at four bits.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Model } from "../../../runtime/session/model.ts";
import { compareScores, type Scores, scoreText } from "../../../runtime/stats/perplexity.ts";
import { documentsOf, evaluate, splitOfCard } from "../../eval/evaluate.ts";
import type { Absent, GoalContext, Measured } from "../goal.ts";
import { bitsPerByte, KneserNey } from "../ngram.ts";
import { MODEL, withModel } from "./model.ts";

/** All models of the house share the text that none was trained on. */
export const heldOut = () => readFileSync(join(MODEL, "heldout.txt"), "utf8");

export async function score(model: Model, signal: AbortSignal): Promise<Scores> {
  const window = model.engine.options.context;
  return evaluate(model, heldOut(), { split: splitOfCard(model.card), window, stride: window >> 1, signal });
}

/** The training text of the card, from the Debian package; undefined if it is not installed. */
function trainingText(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "skint-text-"));
  try {
    execFileSync("python3", ["models/training/prepare_text.py", folder], { stdio: "ignore" });
    return readFileSync(join(folder, "train.txt"), "utf8");
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bits per byte of a model in f32 over those of an interpolated 5-gram Kneser-Ney model of the same training tokens. */
export async function ratioToFiveGram({ signal, note }: GoalContext, folder = MODEL): Promise<Measured | Absent> {
  const text = trainingText();
  if (text === undefined) return { absent: "needs python3 and Debian's bible-kjv-text (tools/dev/setup installs it)" };
  return withModel(
    "f32",
    { score: true },
    async (model) => {
      const split = splitOfCard(model.card);
      note("  tokenising the training text");
      const train = documentsOf(model, text, split);
      const ngram = new KneserNey(5, model.engine.graph.vocab);
      ngram.train(train);
      const ours = scoreText(await score(model, signal));
      const theirs = bitsPerByte(ngram, documentsOf(model, heldOut(), split), ours.bytes);
      const over = (v: number | undefined) => (v === undefined ? undefined : v / theirs);
      return {
        value: ours.bitsPerByte / theirs,
        low: over(ours.interval?.low),
        high: over(ours.interval?.high),
        note: `${basename(folder)}: ${ours.bitsPerByte.toFixed(4)} over ${theirs.toFixed(4)} bits per byte`,
      };
    },
    folder,
  );
}

/** Relative bits-per-byte cost of w4 (q4g32, i8tok) over f32, paired. */
export async function costOfFourBits({ signal }: GoalContext): Promise<Measured> {
  const full = await withModel("f32", { score: true }, (m) => score(m, signal));
  const four = await withModel("w4", { score: true }, (m) => score(m, signal));
  const d = compareScores(full, four);
  return {
    value: d.ratio - 1,
    low: d.ratioInterval ? d.ratioInterval.low - 1 : undefined,
    high: d.ratioInterval ? d.ratioInterval.high - 1 : undefined,
    note: `${scoreText(full).bitsPerByte.toFixed(4)} → ${scoreText(four).bitsPerByte.toFixed(4)} bits per byte`,
  };
}

interface Oracle {
  readonly tokens: number[];
  readonly positions: number[];
  readonly vocab: number;
  readonly logits: string;
}

/** Worst |ours − theirs| over the largest |theirs| of the position, against the logits the training framework stored. */
export async function errorToOracle(folder = MODEL): Promise<Measured> {
  const oracle = JSON.parse(readFileSync(join(folder, "oracle.json"), "utf8")) as Oracle;
  const bytes = Buffer.from(oracle.logits, "base64");
  const want = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const use = async (model: Model): Promise<Measured> => {
    let worst = 0;
    for (let pos = 0; pos < oracle.tokens.length; pos++) {
      const got = await model.engine.run("decode", Uint32Array.of(oracle.tokens[pos]), pos);
      const row = oracle.positions.indexOf(pos);
      if (row < 0) continue;
      const theirs = want.subarray(row * oracle.vocab, (row + 1) * oracle.vocab);
      const scale = theirs.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      for (let i = 0; i < oracle.vocab; i++) worst = Math.max(worst, Math.abs(got[i] - theirs[i]) / scale);
    }
    return { value: worst, note: `${oracle.positions.length} positions of ${oracle.tokens.length} tokens` };
  };
  return withModel("f32", {}, use, folder);
}
