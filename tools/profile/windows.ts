// A text as windows of tokens, read and scored one after the other from position 0.
import { SkintError, throwIfAborted } from "../../runtime/errors.ts";
import { turn } from "../../runtime/io/turn.ts";
import type { Engine } from "../../runtime/session/engine.ts";
import { bootstrapCounts, type Interval } from "../../runtime/stats/bootstrap.ts";
import { logSoftmaxAt } from "../../runtime/stats/perplexity.ts";

/** Fewest tokens that a profile is made of. */
export const MIN_TOKENS = 64;

/** Documents in windows of at most `length` tokens, `most` tokens together; a window has two at least. Throws `usage` for a text that is too short. */
export function windowsOf(documents: readonly Uint32Array[], length: number, most = Number.POSITIVE_INFINITY, name = "the text"): Uint32Array[] {
  const out: Uint32Array[] = [];
  let left = most;
  for (const document of documents)
    for (let at = 0; at < document.length && left > 1; at += length) {
      const window = document.subarray(at, Math.min(at + Math.min(length, left), document.length));
      if (window.length < 2) continue;
      out.push(window);
      left -= window.length;
    }
  const have = countTokens(out);
  if (have < MIN_TOKENS) throw new SkintError("usage", `${name} has ${have} tokens to read; give a text of at least ${MIN_TOKENS}`, { what: name });
  return out;
}

export const countTokens = (windows: readonly Uint32Array[]): number => windows.reduce((sum, w) => sum + w.length, 0);

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Behind each step: its tokens stand at `pos`, … of their window. */
  onStep?(rows: number, pos: number, window: number): void;
  onProgress?(tokens: number, total: number): void;
}

/** ln p of each token of a window behind `from`, whose first `from` tokens the engine has read. */
export async function scoreFrom(engine: Engine, window: Uint32Array, from: number, onStep?: (rows: number, pos: number) => void): Promise<Float64Array> {
  const { vocab } = engine.graph;
  const out = new Float64Array(window.length - 1 - from);
  for (let pos = from; pos < window.length - 1; pos += engine.options.batch) {
    const step = window.subarray(pos, Math.min(pos + engine.options.batch, window.length - 1));
    const logits = await engine.run("score", step, pos);
    for (let r = 0; r < step.length; r++) out[pos - from + r] = logSoftmaxAt(logits.subarray(r * vocab, (r + 1) * vocab), window[pos + r + 1]);
    onStep?.(step.length, pos);
    await turn();
  }
  return out;
}

/** Reads windows from their beginning; ln p of every token but the first of each, window after window. */
export async function readWindows(engine: Engine, windows: readonly Uint32Array[], o: ReadOptions = {}): Promise<Float64Array> {
  const total = countTokens(windows);
  const out = new Float64Array(total - windows.length);
  let [done, at] = [0, 0];
  for (const [i, window] of windows.entries()) {
    throwIfAborted(o.signal, "reading");
    const scores = await scoreFrom(engine, window, 0, (rows, pos) => o.onStep?.(rows, pos, i));
    out.set(scores, at);
    at += scores.length;
    done += window.length;
    o.onProgress?.(done, total);
  }
  return out;
}

/** Perplexity of ln p. */
export const perplexityOf = (lnp: Float64Array): number => Math.exp(-lnp.reduce((a, b) => a + b, 0) / lnp.length);

/** Tokens of a block that intervals draw whole: neighbours are not independent. */
const BLOCK = 32;
const MIN_BLOCKS = 8;

export interface Cost {
  /** Perplexity over that of the first, less 1. */
  readonly value: number;
  /** 95 %, block bootstrap, paired; null where there are too few tokens. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What the second of two readings of the same tokens loses: perplexity ratio less 1. */
export function costOf(dense: Float64Array, sparse: Float64Array): Cost {
  const blocks = Math.max(1, Math.floor(dense.length / BLOCK));
  const sums = Array.from({ length: blocks }, (_, b) => {
    const end = b === blocks - 1 ? dense.length : (b + 1) * BLOCK;
    let nats = 0;
    for (let i = b * BLOCK; i < end; i++) nats += dense[i] - sparse[i];
    return { nats, tokens: end - b * BLOCK };
  });
  const of = (counts: Uint32Array) => {
    const [nats, tokens] = sums.reduce(([a, b], s, i) => [a + counts[i] * s.nats, b + counts[i] * s.tokens], [0, 0]);
    return Math.expm1(nats / tokens);
  };
  if (blocks < MIN_BLOCKS) return { value: of(new Uint32Array(blocks).fill(1)), low: null, high: null };
  const { value, low, high }: Interval = bootstrapCounts(blocks, of);
  return { value, low, high };
}
