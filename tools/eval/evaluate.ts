// Scores a text with a model: documents, windows, log probabilities and bytes of every token.
import { SkintError } from "../../runtime/errors.ts";
import type { Model } from "../../runtime/session/model.ts";
import type { Scores } from "../../runtime/stats/perplexity.ts";
import { byteCounts } from "../../runtime/text/stream.ts";

export type Split = "blank-line" | "none";

export interface EvaluateOptions {
  /** Where documents end: each is scored on its own, between the model's opening and closing tokens. */
  readonly split: Split;
  readonly window: number;
  readonly stride: number;
  /** Most tokens to score; the text is cut there. */
  readonly tokens?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** How the model's card wants texts split, if it says so. */
export function splitOfCard(card: Readonly<Record<string, unknown>>): Split {
  const evaluation = card.evaluation as { split?: unknown } | undefined;
  return evaluation?.split === "blank-line" ? "blank-line" : "none";
}

/** Token ids of each document of the text, opened and closed as the model expects. */
export function documentsOf(model: Pick<Model, "name" | "tokenizer" | "bos">, text: string, split: Split): Uint32Array[] {
  const { tokenizer, bos } = model;
  if (!tokenizer) throw new SkintError("model.tokenizer", `${model.name} carries no tokenizer, so that no text can be scored; compress it again from a folder with tokenizer.json`);
  const parts = split === "blank-line" ? text.replace(/\n$/, "").split("\n\n") : [text];
  const closing = bos.length && tokenizer.eos !== undefined ? [tokenizer.eos] : [];
  return parts.filter((p) => p.length).map((p) => Uint32Array.from([...bos, ...tokenizer.encode(p), ...closing]));
}

/** Scores documents in turn; entry i of the result belongs to the i-th token that has one before it. */
export async function evaluate(model: Model, text: string, o: EvaluateOptions): Promise<Scores> {
  const documents = documentsOf(model, text, o.split);
  const total = Math.min(
    o.tokens ?? Number.POSITIVE_INFINITY,
    documents.reduce((sum, d) => sum + d.length - 1, 0),
  );
  const logProbabilities: number[] = [];
  const bytes: number[] = [];
  for (const document of documents) {
    const left = total - bytes.length;
    if (left <= 0) break;
    const tokens = document.subarray(0, left + 1);
    const before = bytes.length;
    const scored = await model.score(tokens, { window: o.window, stride: o.stride, signal: o.signal, onProgress: (done) => o.onProgress?.(before + done, total) });
    const counts = byteCounts(model.tokenizer as NonNullable<Model["tokenizer"]>, tokens);
    for (let i = 1; i < tokens.length; i++) {
      logProbabilities.push(scored[i - 1]);
      bytes.push(counts[i]);
    }
  }
  return { logProbabilities, bytes };
}
