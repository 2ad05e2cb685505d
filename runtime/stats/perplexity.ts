// How well a model predicts a text: bits per byte and perplexity from the log probabilities of its tokens, with intervals.
// Log probabilities are natural (nats, at most 0), one a scored token; byte counts are bytes of UTF-8 a token adds to the text.
// Neighbouring tokens are not independent, so intervals draw whole blocks of consecutive tokens (block bootstrap, Künsch 1989).
import { SkintError } from "../errors.ts";
import { exp, log } from "../num/det.ts";
import { type BootstrapOptions, bootstrapCounts, type Interval } from "./bootstrap.ts";

/** Tokens of one text as one model scored them. */
export interface Scores {
  /** ln p(token | what stands before), [tokens]. */
  readonly logProbabilities: ArrayLike<number>;
  /** Bytes of each token, [tokens]. */
  readonly bytes: ArrayLike<number>;
}

/** Sums over a run of consecutive tokens. */
export interface Chunk {
  readonly tokens: number;
  readonly bytes: number;
  /** -Σ ln p. */
  readonly nats: number;
}

export interface ScoredText extends Chunk {
  readonly bitsPerByte: number;
  readonly perplexity: number;
  /** Of bits per byte; null where there are too few chunks to tell. */
  readonly interval: Interval | null;
  readonly chunks: readonly Chunk[];
}

/** A second model against a first one on the same tokens; below 0 and below 1 the second is better. */
export interface ScoreDifference {
  /** Bits per byte of the second less those of the first. */
  readonly difference: number;
  /** Bits per byte of the second over those of the first. */
  readonly ratio: number;
  readonly differenceInterval: Interval | null;
  readonly ratioInterval: Interval | null;
}

export interface ScoreOptions extends BootstrapOptions {
  /** Tokens of a block, default 128. */
  readonly chunk?: number;
}

/** Fewest blocks an interval is drawn from. */
export const MIN_CHUNKS = 8;
const DEFAULT_CHUNK = 128;
const LN2 = 0.6931471805599453;

/** ln of the softmax of `logits` at `token`, summed in double precision in the order of the ids: the same on every engine. Throws `session.nan`. */
export function logSoftmaxAt(logits: Float32Array, token: number): number {
  if (!Number.isInteger(token) || token < 0 || token >= logits.length)
    throw new SkintError("session.token", `the token ${token} is outside the vocabulary of ${logits.length}; use the tokenizer of this model`);
  let top = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    const v = logits[i];
    if (v - v !== 0) throw new SkintError("session.nan", `the logit of token ${i} is ${v}; reload the model, and compress it anew if it happens again`, { what: `logits[${i}]` });
    if (v > top) top = v;
  }
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += exp(logits[i] - top);
  return logits[token] - top - log(sum);
}

function checkScores({ logProbabilities, bytes }: Scores): void {
  if (logProbabilities.length !== bytes.length) throw new SkintError("usage", `${logProbabilities.length} scored tokens came with ${bytes.length} byte counts; give one for each`);
  for (let i = 0; i < bytes.length; i++) {
    if (!(logProbabilities[i] <= 0 && logProbabilities[i] > -Infinity))
      throw new SkintError("session.nan", `the log probability of token ${i} of the text is ${logProbabilities[i]}, which no probability has; check the model's weights`, {
        what: `token ${i}`,
      });
    if (!Number.isInteger(bytes[i]) || bytes[i] < 0) throw new SkintError("usage", `token ${i} of the text is said to have ${bytes[i]} bytes; give whole numbers`);
  }
}

/** Blocks of `size` tokens; the last takes what is left over, so that no block is short. */
function chunksOf({ logProbabilities, bytes }: Scores, size: number): Chunk[] {
  if (!Number.isInteger(size) || size < 1) throw new SkintError("usage", `blocks of ${size} tokens cannot be made; give a whole number, at least 1`);
  const tokens = bytes.length;
  const count = Math.max(1, Math.floor(tokens / size));
  return Array.from({ length: count }, (_, c) => {
    const end = c === count - 1 ? tokens : (c + 1) * size;
    const chunk = { tokens: end - c * size, bytes: 0, nats: 0 };
    for (let i = c * size; i < end; i++) {
      chunk.bytes += bytes[i];
      chunk.nats -= logProbabilities[i];
    }
    return chunk;
  });
}

/** Bits per byte of chunks that stand counts[i] times each. */
function bitsPerByte(chunks: readonly Chunk[], counts: Uint32Array): number {
  let nats = 0;
  let bytes = 0;
  chunks.forEach((chunk, i) => {
    nats += counts[i] * chunk.nats;
    bytes += counts[i] * chunk.bytes;
  });
  return nats / LN2 / bytes;
}

function interval(chunks: readonly Chunk[], of: (counts: Uint32Array) => number, options: ScoreOptions): Interval | null {
  return chunks.length < MIN_CHUNKS || chunks.some((chunk) => chunk.bytes === 0) ? null : bootstrapCounts(chunks.length, of, options);
}

/** Totals, perplexity per token, bits per byte with its interval, and the chunks the interval was drawn from. */
export function scoreText(scores: Scores, options: ScoreOptions = {}): ScoredText {
  checkScores(scores);
  const chunks = chunksOf(scores, options.chunk ?? DEFAULT_CHUNK);
  const total = chunks.reduce((a, b) => ({ tokens: a.tokens + b.tokens, bytes: a.bytes + b.bytes, nats: a.nats + b.nats }));
  if (total.bytes === 0) throw new SkintError("usage", "no bytes of text were scored; give a text of at least two tokens");
  return {
    ...total,
    bitsPerByte: total.nats / LN2 / total.bytes,
    perplexity: exp(total.nats / total.tokens),
    interval: interval(chunks, (counts) => bitsPerByte(chunks, counts), options),
    chunks,
  };
}

/** Compares two models on the same tokens, block by block drawn together: how hard a block is cancels out. */
export function compareScores(first: Scores, second: Scores, options: ScoreOptions = {}): ScoreDifference {
  const same = first.bytes.length === second.bytes.length && Array.prototype.every.call(first.bytes, (b: number, i: number) => b === second.bytes[i]);
  if (!same) throw new SkintError("usage", "two models can only be compared on the same tokens; score the same text with the same tokenizer, context and stride");
  const a = scoreText(first, { ...options, resamples: 1 });
  const b = scoreText(second, { ...options, resamples: 1 });
  const of = (join: (a: number, b: number) => number) => (counts: Uint32Array) => join(bitsPerByte(a.chunks, counts), bitsPerByte(b.chunks, counts));
  return {
    difference: b.bitsPerByte - a.bitsPerByte,
    ratio: b.bitsPerByte / a.bitsPerByte,
    differenceInterval: interval(
      a.chunks,
      of((x, y) => y - x),
      options,
    ),
    ratioInterval: interval(
      a.chunks,
      of((x, y) => y / x),
      options,
    ),
  };
}
