// Scores a text: the log probability of each of its tokens given those before it, in sliding windows of the context.
import { SkintError, throwIfAborted } from "../errors.ts";
import { turn } from "../io/turn.ts";
import { logSoftmaxAt } from "../stats/perplexity.ts";
import type { Engine } from "./engine.ts";
import { readPrompt } from "./prompt.ts";
import { TextCore } from "./textcore.ts";

export interface ScoreOptions {
  /** Tokens a window feeds, at most the engine's context. */
  readonly window: number;
  /** Tokens between the starts of two windows: the first window scores all its predictions, each later one its last `stride`. */
  readonly stride: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Natural-log probabilities f64 [tokens.length - 1]: entry i is that of tokens[i + 1]. The engine must have been loaded with its score plan. In mode core
 * the first window − stride tokens of each window are its prompt, read and scored with all neurons; those behind them are scored under the core.
 */
export async function scoreTokens(engine: Engine, tokens: Uint32Array, o: ScoreOptions): Promise<Float64Array> {
  checkOptions(engine, o);
  engine.take(undefined);
  const out = new Float64Array(Math.max(0, tokens.length - 1));
  const vocab = engine.graph.vocab;
  const { batch } = engine.options;
  let done = 0;
  for (let start = 0; done < out.length; start += o.stride) {
    const end = Math.min(start + o.window, tokens.length - 1);
    let at = start;
    const feed = async (piece: Uint32Array) => {
      const last = at + piece.length <= done;
      const logits = await engine.run(last ? "prefill" : "score", piece, at - start);
      for (let i = Math.max(at, done); i < at + piece.length; i++) out[i] = logSoftmaxAt(logits.subarray((i - at) * vocab, (i - at + 1) * vocab), tokens[i + 1]);
      at += piece.length;
      o.onProgress?.(Math.max(done, at), out.length);
    };
    const core = new TextCore();
    const prompt = Math.min(engine.ffn.cores.on ? o.window - o.stride : 0, end - start);
    if (prompt > 0) await readPrompt(engine, core, tokens.subarray(start, start + prompt), 0, feed, o.signal);
    engine.ffn.cores.hold(core);
    while (at < end) {
      throwIfAborted(o.signal, "scoring");
      await feed(tokens.subarray(at, Math.min(at + batch, end)));
      await turn();
    }
    done = end;
  }
  return out;
}

function checkOptions({ options }: Engine, { window, stride }: ScoreOptions): void {
  const whole = (v: number, most: number) => Number.isInteger(v) && v >= 1 && v <= most;
  if (!options.score) throw new SkintError("usage", "the model was loaded without room for scores; load it with the option score");
  if (!whole(window, options.context))
    throw new SkintError("usage", `a window of ${window} tokens was asked for; it must be a whole number from 1 to the context of ${options.context}`);
  if (!whole(stride, window)) throw new SkintError("usage", `a stride of ${stride} tokens was asked for; it must be a whole number from 1 to the window of ${window}`);
}
