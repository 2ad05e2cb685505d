// llama.cpp through node-llama-cpp and its prebuilt libraries: token ids of a text, and logits for tokens that are given, not drawn.
import { resolve } from "node:path";
import { throwIfAborted } from "../../runtime/errors.ts";
import { importPeer } from "./peers.ts";

/** The peer's module. */
export const LIBRARY = "node-llama-cpp/dist/index.js";

/** What is used of node-llama-cpp 3.22. */
interface Library {
  getLlama(options: Readonly<Record<string, unknown>>): Promise<Backend>;
  readonly LlamaLogLevel: { readonly error: string };
}
interface Backend {
  readonly llamaCppRelease: { readonly repo: string; readonly release: string };
  readonly systemInfo: string;
  loadModel(options: { modelPath: string; gpuLayers: number }): Promise<LoadedModel>;
  dispose(): Promise<void>;
}
interface LoadedModel {
  tokenize(text: string, specialTokens: boolean): number[];
  createContext(options: Readonly<Record<string, unknown>>): Promise<{ getSequence(): Sequence }>;
}
interface Sequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(
    input: readonly [token: number, options: { generateNext: { logits: true } }][],
  ): Promise<readonly ({ readonly next: { readonly logits: ReadonlyMap<number, number> } } | undefined)[]>;
}

export interface Llama {
  /** Repository and release of the libraries, and the instructions they use. */
  readonly version: string;
  /** Ids of a text, none added; special tokens spelled out in it are recognised. */
  tokenize(text: string): number[];
  /** Feeds tokens as a new text; `onRow` gets the logits after each of them in turn, f32 [vocab], which the next row overwrites. */
  feed(tokens: Uint32Array, onRow: (index: number, logits: Float32Array) => void, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface LlamaOptions {
  readonly file: string;
  /** Most tokens of one `feed`. */
  readonly context: number;
  readonly vocab: number;
  readonly threads: number;
}

/** Rows of logits that are asked for at once; each comes as a Map of the whole vocabulary. */
const ROWS = 32;

/** node-llama-cpp drops tokens from the front already when the last position of a context is filled: there must be room behind it. */
const ROOM = 64;

/** Everything in f32: no flash attention (it rounds to f16), key/value caches of f32. */
export async function openLlama({ file, context, vocab, threads }: LlamaOptions): Promise<Llama> {
  const library = await importPeer<Library>(LIBRARY);
  const llama = await library.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    maxThreads: threads,
    logLevel: library.LlamaLogLevel.error,
    logger: (_level: string, message: string) => process.stderr.write(`llama.cpp: ${message}\n`),
  });
  try {
    const model = await llama.loadModel({ modelPath: resolve(file), gpuLayers: 0 });
    const made = await model.createContext({
      contextSize: context + ROOM,
      batchSize: Math.min(context, 512),
      sequences: 1,
      threads,
      flashAttention: false,
      experimentalKvCacheKeyType: "F32",
      experimentalKvCacheValueType: "F32",
    });
    const sequence = made.getSequence();
    const row = new Float32Array(vocab);
    const { repo, release } = llama.llamaCppRelease;
    return {
      version: `${repo} ${release}, ${llama.systemInfo.trim()}`,
      tokenize: (text) => [...model.tokenize(text, true)],
      async feed(tokens, onRow, signal) {
        await sequence.clearHistory();
        for (let at = 0; at < tokens.length; at += ROWS) {
          throwIfAborted(signal, "llama.cpp");
          const piece = [...tokens.subarray(at, at + ROWS)];
          const results = await sequence.controlledEvaluate(piece.map((token) => [token, { generateNext: { logits: true } }]));
          for (let i = 0; i < piece.length; i++) onRow(at + i, fill(row, results[i]?.next.logits));
        }
      },
      close: () => llama.dispose(),
    };
  } catch (e) {
    await llama.dispose();
    throw e;
  }
}

function fill(row: Float32Array, logits: ReadonlyMap<number, number> | undefined): Float32Array {
  if (logits?.size !== row.length) throw new Error(`llama.cpp gave ${logits?.size ?? "no"} logits, the vocabulary has ${row.length}`);
  for (const [token, logit] of logits) row[token] = logit;
  return row;
}
