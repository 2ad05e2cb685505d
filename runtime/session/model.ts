// A model ready to use: a pack loaded into an engine, with its tokenizer and its card.
import { SkintError, throwIfAborted } from "../errors.ts";
import { readInto } from "../formats/skint/load.ts";
import { openPack, type Pack } from "../formats/skint/reader.ts";
import { parseGraph } from "../graph/check.ts";
import { checkColumns } from "../graph/columns.ts";
import { seesImages } from "../graph/images.ts";
import { ENDLESS, type TensorDef } from "../graph/types.ts";
import { checkCodes } from "../image/weights.ts";
import type { HasherFactory } from "../io/hash.ts";
import type { Source } from "../io/source.ts";
import type { Device } from "../plan/device.ts";
import { type ChatFormat, chatFormat, type TokenizerConfig } from "../text/template.ts";
import { createTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import { crossing, measureBreakEven } from "./breakeven.ts";
import { Engine } from "./engine.ts";
import { checkGolden } from "./golden.ts";
import { type ScoreOptions, scoreTokens } from "./score.ts";
import { Session } from "./session.ts";

export interface ModelOptions {
  /** Positions of context; default: what the model was made for, at most DEFAULT_CONTEXT where they take memory. */
  readonly context?: number;
  /** Most tokens of a prefill step; default 64. */
  readonly batch?: number;
  /** Make room for scoring texts (`model.score`). */
  readonly score?: boolean;
  /** Points copied out at every step; read with `model.engine.tap(point)`. */
  readonly taps?: readonly string[];
  /** Fold steps into one another; same bits either way. Default true. */
  readonly fuse?: boolean;
  /** Run the golden self-test after loading. Default true. */
  readonly golden?: boolean;
  /**
   * Share of a feed-forward layer's neurons, 0…1, beyond which lists of them are not walked (models that lie by neurons). Default: measured, in some 10 to
   * 100 ms, or as it was kept. The bits are the same.
   */
  readonly limit?: number;
  /**
   * Share of a feed-forward layer's neurons, above 0, at most 1, for whose rows memory is reserved, so that mode core can copy them together (models that lie
   * by neurons). Default: none, and cores are read row by row, with the same bits.
   */
  readonly core?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Environment {
  readonly device: Device;
  readonly sha256: HasherFactory;
  readonly now: () => number;
  /** Where limits of lists are kept that were measured. */
  readonly limits?: KeptLimits;
}

/** Limits of lists of a model on a machine, from one load to the next. */
export interface KeptLimits {
  find(): Promise<number | undefined>;
  keep(share: number): Promise<void>;
}

const DEFAULT_CONTEXT = 4096;
const DEFAULT_BATCH = 128;

export type Card = Readonly<Record<string, unknown>>;

export class Model {
  constructor(
    readonly name: string,
    readonly engine: Engine,
    readonly tokenizer: Tokenizer | undefined,
    /** Token ids every text is opened with. */
    readonly bos: readonly number[],
    readonly card: Card,
    readonly recipe: string,
    /** SHA-256 of the file. */
    readonly hash: string,
    private readonly env: Environment,
    /** How the model wants a talk written, if it says so. */
    readonly chat?: ChatFormat,
  ) {}

  /**
   * Starts a text. A model has one cache: a session that is used takes it over from the one before, which a recurrent model's session
   * outlives, as it keeps its state.
   */
  session(): Session {
    const { engine, tokenizer, bos, env } = this;
    return new Session({ engine, tokenizer, bos, now: env.now, sha256: env.sha256, model: this });
  }

  /** Natural-log probability of each token after the first. Takes over the cache. Needs the option `score`. */
  score(tokens: Uint32Array, options: ScoreOptions): Promise<Float64Array> {
    return scoreTokens(this.engine, tokens, options);
  }

  close(): void {
    this.engine.program.close();
  }
}

/** Loads a pack onto a device: checks it, plans it, reads its weights into place, hashes them, runs the golden self-test. */
export async function loadModel(source: Source, env: Environment, options: ModelOptions = {}): Promise<Model> {
  const pack = await openPack(source);
  try {
    const graph = parseGraph((await pack.document("graph")) as string);
    if (seesImages(graph)) throw new SkintError("usage", `${pack.name} looks at images and continues no text; skint run shows what it sees`, { what: pack.name });
    const context = options.context ?? Math.min(graph.context, graph.tensors.some((t) => t.shape.includes("C")) ? DEFAULT_CONTEXT : ENDLESS);
    if (!Number.isInteger(context) || context < 1 || context > graph.context)
      throw new SkintError("usage", `a context of ${context} positions was asked for; ${pack.name} allows 1 to ${graph.context}`);
    if (options.core !== undefined && !(options.core > 0 && options.core <= 1))
      throw new SkintError("usage", `room for a core of ${options.core} was asked for; give a share above 0, at most 1`, { what: "core" });
    const engine = new Engine(graph, env.device, {
      context,
      batch: Math.min(options.batch ?? DEFAULT_BATCH, context),
      fuse: options.fuse ?? true,
      score: options.score ?? false,
      taps: options.taps ?? [],
      core: options.core,
    });
    try {
      await readWeights(pack, engine, env, options);
      engine.ffn.reset();
      const cores = await pack.document("cores");
      if (cores) engine.ffn.setClusters(cores, env.sha256);
      const golden = await pack.document("golden");
      if (golden && options.golden !== false) await checkGolden(engine, golden, env.sha256);
      await limitLists(engine, env, options);
      throwIfAborted(options.signal, `loading ${pack.name}`);
      const text = await pack.document("tokenizer");
      const { tokenizer, bos, chat } = text ? parseTokenizer(text, pack.name) : { bos: [] };
      const card = JSON.parse((await pack.document("card")) as string) as Card;
      return new Model(pack.name, engine, tokenizer, bos, card, pack.meta("recipe"), pack.digest, env, chat);
    } catch (e) {
      engine.program.close();
      throw e;
    }
  } finally {
    await pack.close();
  }
}

/** Says up to which length lists of neurons are walked: as asked, as it was kept, or measured now. */
async function limitLists(engine: Engine, { limits, now }: Environment, { limit, signal }: ModelOptions): Promise<void> {
  if (!engine.ffn.there) return;
  if (limit !== undefined) return engine.ffn.setLimit(limit);
  const kept = await limits?.find();
  if (kept !== undefined) return engine.ffn.setLimit(kept, "kept");
  const share = crossing(await measureBreakEven(engine, { now, signal }), "read");
  engine.ffn.setLimit(share, "measured");
  await limits?.keep(share);
}

/** What weights are read into. */
export interface Weighted {
  readonly weights: readonly TensorDef[];
  placements(): Map<string, Uint8Array>;
}

/** Reads the weights of a pack into their places and hashes the file. Throws `format.shape` for a size that is not the graph's, `format.hash`. */
export async function readWeights(pack: Pack, engine: Weighted, env: Pick<Environment, "sha256">, options: Pick<ModelOptions, "onProgress" | "signal">): Promise<void> {
  const placements = engine.placements();
  for (const [name, view] of placements) {
    const stored = pack.tensors.get(name);
    if (stored && stored.bytes !== view.length)
      throw new SkintError("format.shape", `tensor ${name} has ${stored.bytes} bytes, its shape and scheme need ${view.length}; write the file again with skint compress`, {
        what: name,
      });
  }
  await readInto(pack, placements, { hasher: env.sha256(), onProgress: options.onProgress, signal: options.signal });
  for (const t of engine.weights) {
    const bytes = placements.get(t.name) as Uint8Array;
    if (t.format === "columns") checkColumns(t.name, bytes, t.shape[0] as number);
    if (t.format === "dw4") checkCodes(t.name, "dw4", bytes);
  }
}

export interface TextFormat {
  readonly tokenizer?: Tokenizer;
  /** Token ids every text is opened with. */
  readonly bos: readonly number[];
  readonly chat?: ChatFormat;
}

/** Reads a tokenizer document: `tokenizer` (tokenizer.json) and `config` (tokenizer_config.json). `name`: of the model, for messages. */
export function parseTokenizer(text: string, name: string): TextFormat {
  let parts: { tokenizer?: unknown; config?: TokenizerConfig & { readonly add_bos_token?: unknown } };
  try {
    parts = JSON.parse(text);
  } catch (e) {
    throw new SkintError("model.tokenizer", `${name}: the tokenizer document is not JSON; write the file again with skint compress`, { what: "skint.tokenizer" }, { cause: e });
  }
  const tokenizer = createTokenizer(JSON.stringify(parts.tokenizer ?? null), parts.config ? JSON.stringify(parts.config) : undefined);
  const wantsBos = parts.config?.add_bos_token === true && tokenizer.prefix.length === 0 && tokenizer.bos !== undefined;
  return { tokenizer, bos: wantsBos ? [tokenizer.bos as number] : [...tokenizer.prefix], chat: chatFormat(parts.config) };
}
