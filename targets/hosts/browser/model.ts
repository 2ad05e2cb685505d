// A model and its sessions as a page sees them: the API of runtime/session, answered by the session worker. What Node answers at once is a
// promise here (`encode`, `decode`); `await` in front makes the same lines run on both.
import type { ScoreOptions } from "../../../runtime/session/score.ts";
import type { GenerateOptions, GenerateStats, Piece } from "../../../runtime/session/session.ts";
import type { Connection } from "./connection.ts";
import type { ModelFacts } from "./protocol.ts";

export class RemoteTokenizer {
  readonly vocabSize: number;
  readonly bos?: number;
  readonly eos?: number;

  constructor(
    private readonly connection: Connection,
    facts: NonNullable<ModelFacts["tokenizer"]>,
  ) {
    this.vocabSize = facts.vocabSize;
    this.bos = facts.bos;
    this.eos = facts.eos;
  }

  /** Ids of a text, no special tokens added. */
  encode(text: string): Promise<Uint32Array> {
    return this.connection.call("encode", { text, opened: false });
  }

  decode(ids: ArrayLike<number>, special = false): Promise<string> {
    return this.connection.call("decode", { ids, special });
  }
}

export class Model {
  readonly tokenizer: RemoteTokenizer | undefined;
  private sessions = 0;
  /** Sessions that nobody holds any more are forgotten in the worker too. */
  private readonly forgotten: FinalizationRegistry<number>;

  constructor(
    private readonly connection: Connection,
    private readonly facts: ModelFacts,
  ) {
    this.tokenizer = facts.tokenizer && new RemoteTokenizer(connection, facts.tokenizer);
    this.forgotten = new FinalizationRegistry((session) => connection.send({ type: "forget", session }));
  }

  get name(): string {
    return this.facts.name;
  }

  /** Token ids every text is opened with. */
  get bos(): readonly number[] {
    return this.facts.bos;
  }

  get card(): ModelFacts["card"] {
    return this.facts.card;
  }

  get recipe(): string {
    return this.facts.recipe;
  }

  /** SHA-256 of the file, as its header states it and loading has proven it. */
  get hash(): string {
    return this.facts.hash;
  }

  /** Number of logits. */
  get vocab(): number {
    return this.facts.vocab;
  }

  /** Positions of context there is room for. */
  get context(): number {
    return this.facts.context;
  }

  /** Bytes of WebAssembly memory. */
  get memoryBytes(): number {
    return this.facts.memoryBytes;
  }

  /** Build of the core that was taken. */
  get build(): string {
    return this.facts.build;
  }

  /** Threads it runs on. */
  get lanes(): number {
    return this.facts.lanes;
  }

  /** Why there is one lane only, and how to get more. */
  get whySingle(): string | undefined {
    return this.facts.whySingle;
  }

  /** `hit`: read from the files this site keeps; `stored`: fetched and kept for the next time. */
  get cache(): ModelFacts["cache"] {
    return this.facts.cache;
  }

  /** What went otherwise than hoped while loading, and still worked. */
  get notes(): readonly string[] {
    return this.facts.notes;
  }

  /**
   * Starts a text. A model has one cache: a session that is used takes it over from the one before, which a recurrent model's session
   * outlives, as it keeps its state.
   */
  session(): Session {
    return this.begin(0);
  }

  private begin(fed: number): Session {
    const id = ++this.sessions;
    const session: Session = new Session(this.connection, id, fed, async () => {
      const fork = this.begin(session.length);
      await this.connection.call("forkState", { session: id, fork: fork.id });
      return fork;
    });
    this.forgotten.register(session, id);
    return session;
  }

  /** Natural-log probability of each token after the first. Takes over the cache. Needs the option `score`. */
  score(tokens: Uint32Array, { signal, onProgress, ...options }: ScoreOptions): Promise<Float64Array> {
    return this.connection.call("score", { tokens, options }, { signal, onEvent: onProgress && (({ done, total }) => onProgress(done, total)) });
  }

  /** Ends the session worker and its lanes; calls that run end in `session.failed`. */
  close(): void {
    this.connection.close();
  }
}

export class Session {
  /** Of the last `generate`, when it has ended. */
  stats: GenerateStats = { promptTokens: 0, reusedTokens: 0, generatedTokens: 0, firstTokenMs: 0, decodeMs: [], stop: "length" };
  /** What a recurrent model remembers of the text (runtime/session/state.ts). */
  readonly state: {
    save(): Promise<Uint8Array>;
    load(bytes: Uint8Array): Promise<void>;
    fork(): Promise<Session>;
  };

  constructor(
    private readonly connection: Connection,
    /** The worker's number of it. */
    readonly id: number,
    private fed: number,
    fork: () => Promise<Session>,
  ) {
    this.state = {
      save: () => connection.call("saveState", { session: id }),
      load: async (bytes) => {
        this.fed = await connection.call("loadState", { session: id, bytes });
      },
      fork,
    };
  }

  /** Tokens in the cache after the last call that has ended. */
  get length(): number {
    return this.fed;
  }

  /** Token ids of a prompt, opened as the model expects. */
  encode(text: string): Promise<Uint32Array> {
    return this.connection.call("encode", { text, opened: true });
  }

  /** Forgets the text; the memory stays. */
  reset(): void {
    this.fed = 0;
    this.connection.call("reset", { session: this.id }).catch(() => {}); // a lost worker is told by the next call
  }

  /** Feeds tokens behind what the cache shares with them and returns the logits f32 [vocab] behind the last one. */
  async feed(tokens: Uint32Array, signal?: AbortSignal): Promise<Float32Array> {
    const { logits, length } = await this.connection.call("feed", { session: this.id, tokens }, { signal });
    this.fed = length;
    return logits;
  }

  /** Feeds tokens behind the text so far and returns the logits behind the last one. */
  async append(tokens: Uint32Array, signal?: AbortSignal): Promise<Float32Array> {
    const { logits, length } = await this.connection.call("append", { session: this.id, tokens }, { signal });
    this.fed = length;
    return logits;
  }

  /** Feeds one more token; returns the logits behind it. */
  next(token: number): Promise<Float32Array> {
    return this.append(Uint32Array.of(token));
  }

  /** Continues a prompt (text or token ids) token by token. The worker may be a few tokens ahead of the reader; who leaves loses them. */
  async *generate(prompt: string | Uint32Array, { signal, ...options }: GenerateOptions = {}): AsyncGenerator<Piece, GenerateStats> {
    const stream = this.connection.stream("generate", { session: this.id, prompt, options }, signal);
    try {
      for (let piece = await stream.next(); piece; piece = await stream.next()) yield piece;
    } finally {
      const end = await stream.leave();
      if (end) {
        this.stats = end.stats;
        this.fed = end.length;
      }
    }
    return this.stats;
  }
}
