// A session: the text so far in the caches of an engine. Turns that share a beginning with what is there reuse it.
import { SkintError, throwIfAborted } from "../errors.ts";
import { turn } from "../io/turn.ts";
import { createStopMatcher } from "../text/stop.ts";
import { createTextStream } from "../text/stream.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Engine } from "./engine.ts";
import { createSampler, type SampleOptions } from "./sample.ts";

export interface GenerateOptions extends SampleOptions {
  /** Most tokens to make; default: until the context is full. */
  readonly maxTokens?: number;
  /** Texts that end the generation; they are not given out. */
  readonly stop?: readonly string[];
  /** Ids that end the text like the end-of-text token. */
  readonly ends?: readonly number[];
  /** Go on past the tokens that end a text. */
  readonly ignoreEos?: boolean;
  readonly signal?: AbortSignal;
}

export interface Piece {
  readonly token: number;
  /** Text that became complete with this token; may be empty. */
  readonly text: string;
}

export interface GenerateStats {
  promptTokens: number;
  /** Of these, found in the cache. */
  reusedTokens: number;
  generatedTokens: number;
  /** Until the first token was chosen. */
  firstTokenMs: number;
  /** Milliseconds of each decode step. */
  decodeMs: number[];
  stop: "eos" | "stop" | "length" | "context";
}

/** How long the event loop may wait for its turn. */
const TURN_MS = 20;

export class Session {
  private readonly past: number[] = [];
  /** Filled while `generate` runs, whole when it ends. */
  stats: GenerateStats = emptyStats();

  constructor(
    private readonly engine: Engine,
    readonly tokenizer: Tokenizer | undefined,
    private readonly bos: readonly number[],
    private readonly now: () => number,
  ) {}

  /** Token ids of a prompt, opened as the model expects. */
  encode(text: string): Uint32Array {
    if (!this.tokenizer) throw new SkintError("model.tokenizer", "the model carries no tokenizer; give token ids instead of text");
    const ids = this.tokenizer.encode(text);
    return Uint32Array.from([...this.bos, ...ids]);
  }

  get length(): number {
    return this.past.length;
  }

  /** Forgets the text; the memory stays. */
  reset(): void {
    this.past.length = 0;
  }

  /** Feeds tokens behind what the cache shares with them and returns the logits f32 [vocab] behind the last one (overwritten by the next call). */
  async feed(tokens: Uint32Array, signal?: AbortSignal): Promise<Float32Array> {
    if (tokens.length === 0) throw new SkintError("usage", "a prompt needs at least one token; give some text");
    const { context, batch } = this.engine.options;
    if (tokens.length > context)
      throw new SkintError(
        "session.context",
        `the text has ${tokens.length} tokens, the context holds ${context}; shorten it, or load with a longer context (the model allows ${this.engine.graph.context})`,
      );
    let at = this.shared(tokens);
    this.past.length = at;
    let logits: Float32Array | undefined;
    while (at < tokens.length) {
      throwIfAborted(signal, "reading the prompt");
      const piece = tokens.subarray(at, at + batch);
      logits = await this.engine.run(piece.length === 1 ? "decode" : "prefill", piece, at);
      this.past.push(...piece);
      await this.checked(logits, at);
      at += piece.length;
      if (at < tokens.length) await turn();
    }
    return logits as Float32Array;
  }

  /** Tokens of `tokens` that are in the cache already; at least one is always fed, as its logits are wanted. */
  private shared(tokens: Uint32Array): number {
    if (this.engine.holder !== this) this.past.length = 0;
    this.engine.holder = this;
    const most = Math.min(this.past.length, tokens.length - 1);
    let i = 0;
    while (i < most && this.past[i] === tokens[i]) i++;
    return this.engine.resume(i);
  }

  /** Feeds one more token; returns the logits behind it. */
  async next(token: number): Promise<Float32Array> {
    if (this.engine.holder !== this) throw new SkintError("session.failed", "another session of this model, or a score, has taken over the cache; feed the whole text again");
    const logits = await this.engine.run("decode", Uint32Array.of(token), this.past.length);
    this.past.push(token);
    return this.checked(logits, this.past.length - 1);
  }

  /** Logits that are not finite are traced to the layer where they first appear among positions from `start` on (all, if the model cannot go back). */
  private async checked(logits: Float32Array, start: number): Promise<Float32Array> {
    for (let i = 0; i < logits.length; i++) if (!Number.isFinite(logits[i])) await this.diagnose(start);
    return logits;
  }

  private async diagnose(start: number): Promise<never> {
    const tokens = Uint32Array.from(this.past);
    for (let pos = this.engine.resume(start); pos < tokens.length; pos++) {
      await this.engine.run("diagnose", tokens.subarray(pos, pos + 1), pos);
      const layer = this.engine.residuals.find((p) => this.engine.tap(p).some((v) => !Number.isFinite(v)));
      this.past.length = start;
      if (layer)
        throw new SkintError(
          "session.nan",
          `the model gave numbers that are not finite: first in ${layer} at position ${pos}; its weights or scales are damaged: compress it again from its source`,
          { what: layer },
        );
    }
    throw new SkintError("session.nan", "the model gave logits that are not finite: first in the head; its weights or scales are damaged: compress it again from its source", {
      what: "head",
    });
  }

  /** Continues a prompt (text or token ids) token by token. */
  async *generate(prompt: string | Uint32Array, options: GenerateOptions = {}): AsyncGenerator<Piece, GenerateStats> {
    const tokens = typeof prompt === "string" ? this.encode(prompt) : prompt;
    const { context } = this.engine.options;
    // Rows that only pad the embedding have no text: they are never chosen.
    const vocab = Math.min(this.engine.graph.vocab, this.tokenizer?.vocabSize ?? Number.POSITIVE_INFINITY);
    const sampler = createSampler(options, vocab);
    const stream = this.tokenizer ? createTextStream(this.tokenizer) : undefined;
    const stops = createStopMatcher(options.stop ?? []);
    const stats = emptyStats();
    this.stats = stats;
    stats.promptTokens = tokens.length;
    if (tokens.length < context + 1) stats.reusedTokens = this.shared(tokens);
    for (const t of tokens) if (t < vocab) sampler.accept(t);
    const start = this.now();
    let logits = await this.feed(tokens, options.signal);
    let turned = this.now();
    for (const most = options.maxTokens ?? Number.POSITIVE_INFINITY; stats.generatedTokens < most; ) {
      throwIfAborted(options.signal, "generation");
      const token = sampler.next(logits.subarray(0, vocab));
      if (stats.generatedTokens === 0) stats.firstTokenMs = this.now() - start;
      if ((token === this.tokenizer?.eos || options.ends?.includes(token)) && !options.ignoreEos) {
        stats.stop = "eos";
        break;
      }
      sampler.accept(token);
      stats.generatedTokens++;
      const { text, stop } = stops.push(stream ? stream.push(token) : "");
      yield { token, text };
      if (stop !== undefined) {
        stats.stop = "stop";
        return stats;
      }
      if (this.past.length >= context) {
        stats.stop = "context";
        break;
      }
      if (stats.generatedTokens >= most) break;
      const before = this.now();
      if (before - turned > TURN_MS) {
        await turn();
        turned = this.now();
      }
      const begin = this.now();
      logits = await this.next(token);
      stats.decodeMs.push(this.now() - begin);
    }
    const rest = stops.push(stream ? stream.flush() : "").text + stops.flush();
    if (rest) yield { token: -1, text: rest };
    return stats;
  }
}

function emptyStats(): GenerateStats {
  return { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, firstTokenMs: 0, decodeMs: [], stop: "length" };
}
