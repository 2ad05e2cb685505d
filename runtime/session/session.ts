// A session: the text so far in the caches of an engine. Turns that share a beginning with what is there reuse it.
import { SkintError, throwIfAborted } from "../errors.ts";
import { turn } from "../io/turn.ts";
import { createStopMatcher } from "../text/stop.ts";
import { createTextStream } from "../text/stream.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Holder, PlanName } from "./engine.ts";
import { type Past, pastOf } from "./past.ts";
import { decodeToken, readPrompt } from "./prompt.ts";
import { createSampler, type SampleOptions } from "./sample.ts";
import { type SessionState, type StateOptions, stateOf } from "./state.ts";
import { TextCore } from "./textcore.ts";

export interface GenerateOptions extends SampleOptions {
  /** Most tokens to make; default: until the context is full. */
  readonly maxTokens?: number;
  /** Texts that end the generation; they are not given out. */
  readonly stop?: readonly string[];
  /** Ids that end the text like the end-of-text token. */
  readonly ends?: readonly number[];
  /** Go on past the tokens that end a text. */
  readonly ignoreEos?: boolean;
  /** The prompt comes behind the text so far; else it is the whole text. */
  readonly append?: boolean;
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
  /** Milliseconds of each decode step, of the last MOST_TIMES at most; in no order then. */
  decodeMs: number[];
  stop: "eos" | "stop" | "length" | "context";
}

/** How long the event loop may wait for its turn. */
const TURN_MS = 20;

/** Decode steps whose times are kept: a text may have no end. */
const MOST_TIMES = 8192;

export interface SessionOptions extends StateOptions {
  readonly tokenizer: Tokenizer | undefined;
  /** Token ids every text is opened with. */
  readonly bos: readonly number[];
  readonly now: () => number;
}

export class Session implements Holder {
  /** Filled while `generate` runs, whole when it ends. */
  stats: GenerateStats = emptyStats();
  /** What a recurrent model remembers of the text: save it, load it, fork it. */
  readonly state: SessionState<Session>;
  private readonly past: Past;

  /** @param text one that another session has begun, and its core neurons */
  constructor(
    private readonly o: SessionOptions,
    text?: Past,
    private readonly core: TextCore = new TextCore(),
  ) {
    this.past = text ?? pastOf(o.engine);
    this.state = stateOf(o, this.past, {
      renew: (other) => new Session(o, other, core.copy()),
      // A saved state has no counts: its text has a core from the next prompt on.
      changed: () => core.forget(),
    });
  }

  get tokenizer(): Tokenizer | undefined {
    return this.o.tokenizer;
  }

  /** Token ids of a prompt, opened as the model expects. */
  encode(text: string): Uint32Array {
    if (!this.tokenizer) throw new SkintError("model.tokenizer", "the model carries no tokenizer; give token ids instead of text");
    const ids = this.tokenizer.encode(text);
    return Uint32Array.from([...this.o.bos, ...ids]);
  }

  get length(): number {
    return this.past.length;
  }

  /** Forgets the text; the memory stays. */
  reset(): void {
    this.past.cut(0);
    this.core.forget();
  }

  /** Feeds tokens behind what the cache shares with them and returns the logits f32 [vocab] behind the last one (overwritten by the next call). */
  async feed(tokens: Uint32Array, signal?: AbortSignal): Promise<Float32Array> {
    this.checkLength(tokens, 0);
    const shared = this.shared(tokens);
    this.past.cut(shared);
    return this.read(tokens.subarray(shared), signal);
  }

  /** Feeds tokens behind the text so far and returns the logits behind the last one, as `feed`. */
  async append(tokens: Uint32Array, signal?: AbortSignal): Promise<Float32Array> {
    this.checkLength(tokens, this.past.length);
    this.goOn();
    return this.read(tokens, signal);
  }

  /** Feeds one more token; returns the logits behind it. */
  async next(token: number): Promise<Float32Array> {
    const piece = Uint32Array.of(token);
    this.checkLength(piece, this.past.length);
    this.goOn();
    return decodeToken(this.o.engine, this.core, (plan) => this.step(piece, plan));
  }

  /** The caches are about to become another text's. */
  leave(): void {
    this.past.leave();
  }

  private checkLength(tokens: Uint32Array, before: number): void {
    if (tokens.length === 0) throw new SkintError("usage", "a prompt needs at least one token; give some text");
    const { engine } = this.o;
    const { context } = engine.options;
    if (before + tokens.length > context)
      throw new SkintError(
        "session.context",
        `the text has ${before + tokens.length} tokens, the context holds ${context}; shorten it, or load with a longer context (the model allows ${engine.graph.context})`,
      );
  }

  private read(tokens: Uint32Array, signal: AbortSignal | undefined): Promise<Float32Array> {
    return readPrompt(this.o.engine, this.core, tokens, this.past.length, (piece, plan) => this.step(piece, plan), signal);
  }

  private async step(piece: Uint32Array, plan: PlanName): Promise<Float32Array> {
    const start = this.past.length;
    this.past.before(piece);
    const logits = await this.o.engine.run(plan, piece, start);
    this.past.push(piece);
    return this.checked(logits, start);
  }

  /** Makes the caches this text's. */
  private hold(): void {
    const { engine } = this.o;
    if (engine.heldBy(this)) return;
    engine.take(this);
    this.past.enter();
    if (this.past.length === 0) this.core.forget();
  }

  /** As `hold`, for a text that is not to be fed again. */
  private goOn(): void {
    if (!this.o.engine.heldBy(this) && !this.past.kept)
      throw new SkintError("session.failed", "another session of this model, or a score, has taken over the cache; feed the whole text again");
    this.hold();
  }

  /** Tokens of `tokens` that are in the cache already; at least one is always fed, as its logits are wanted. */
  private shared(tokens: Uint32Array): number {
    this.hold();
    const { engine } = this.o;
    return engine.resume(engine.ffn.cores.reusable(this.core, this.past.shared(tokens)));
  }

  /** Logits that are not finite are traced to the layer where they first appear at or behind `start`; the text ends before it again. */
  private async checked(logits: Float32Array, start: number): Promise<Float32Array> {
    for (const peak of this.o.engine.peaks) if (!Number.isFinite(peak)) await this.diagnose(start);
    return logits;
  }

  private async diagnose(start: number): Promise<never> {
    const { engine } = this.o;
    let found: { layer: string; pos: number } | undefined;
    await this.past.retrace(start, async (token, pos) => {
      await engine.run("diagnose", token, pos);
      const layer = engine.residuals.find((p) => engine.tap(p).some((v) => !Number.isFinite(v)));
      if (layer) found = { layer, pos };
      return layer !== undefined;
    });
    if (found)
      throw new SkintError(
        "session.nan",
        `the model gave numbers that are not finite: first in ${found.layer} at position ${found.pos}; its weights or scales are damaged: compress it again from its source`,
        { what: found.layer },
      );
    throw new SkintError("session.nan", "the model gave logits that are not finite: first in the head; its weights or scales are damaged: compress it again from its source", {
      what: "head",
    });
  }

  private promptOf(prompt: string | Uint32Array, append: boolean): Uint32Array {
    if (typeof prompt !== "string") return prompt;
    const opened = this.encode(prompt);
    return append && this.length > 0 ? opened.subarray(this.o.bos.length) : opened;
  }

  /** Continues a prompt (text or token ids) token by token. */
  async *generate(prompt: string | Uint32Array, options: GenerateOptions = {}): AsyncGenerator<Piece, GenerateStats> {
    const tokens = this.promptOf(prompt, options.append ?? false);
    const { engine } = this.o;
    const { context } = engine.options;
    // Rows that only pad the embedding have no text: they are never chosen.
    const vocab = Math.min(engine.graph.vocab, this.tokenizer?.vocabSize ?? Number.POSITIVE_INFINITY);
    const sampler = createSampler(options, vocab);
    const stream = this.tokenizer ? createTextStream(this.tokenizer) : undefined;
    const stops = createStopMatcher(options.stop ?? []);
    const stats = emptyStats();
    this.stats = stats;
    stats.promptTokens = tokens.length;
    if (!options.append && tokens.length < context + 1) stats.reusedTokens = this.shared(tokens);
    for (const t of tokens) if (t < vocab) sampler.accept(t);
    const { now } = this.o;
    const start = now();
    let logits = await (options.append ? this.append(tokens, options.signal) : this.feed(tokens, options.signal));
    let turned = now();
    for (const most = options.maxTokens ?? Number.POSITIVE_INFINITY; stats.generatedTokens < most; ) {
      throwIfAborted(options.signal, "generation");
      const token = sampler.next(logits.subarray(0, vocab), engine.peaks);
      if (stats.generatedTokens === 0) stats.firstTokenMs = now() - start;
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
      const before = now();
      if (before - turned > TURN_MS) {
        await turn();
        turned = now();
      }
      const begin = now();
      logits = await this.next(token);
      stats.decodeMs[(stats.generatedTokens - 1) % MOST_TIMES] = now() - begin;
    }
    const rest = stops.push(stream ? stream.flush() : "").text + stops.flush();
    if (rest) yield { token: -1, text: rest };
    return stats;
  }
}

function emptyStats(): GenerateStats {
  return { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, firstTokenMs: 0, decodeMs: [], stop: "length" };
}
