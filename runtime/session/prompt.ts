// How texts are fed to an engine: prompts in steps of at most a batch, counted where cores are made of them; what is decoded, token by token.
import { throwIfAborted } from "../errors.ts";
import { turn } from "../io/turn.ts";
import type { Engine, PlanName } from "./engine.ts";
import type { TextCore } from "./textcore.ts";

/**
 * Feeds a prompt, which stands at position `from` of its text, piece by piece: `feed` runs one by the plan it is given, or another of many rows. Returns
 * what the last gave. Throws `aborted`; the text has no core then.
 */
export async function readPrompt<T>(
  { options: { batch }, ffn: { cores } }: Engine,
  text: TextCore,
  tokens: Uint32Array,
  from: number,
  feed: (piece: Uint32Array, plan: PlanName) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const counting = cores.begin(text, from, tokens.length);
  const check = counting?.check ?? tokens.length;
  try {
    if (check === 0) counting?.look();
    let last: T | undefined;
    for (let at = 0, end = 0; at < tokens.length; at = end) {
      throwIfAborted(signal, "reading the prompt");
      if (at > 0) await turn();
      end = Math.min(at + batch, at < check ? check : tokens.length);
      const piece = tokens.subarray(at, end);
      last = await feed(piece, piece.length === 1 && !counting ? "decode" : "prefill");
      if (end === check && end < tokens.length) counting?.look();
    }
    counting?.end();
    return last as T;
  } catch (e) {
    counting?.drop();
    throw e;
  }
}

/** Feeds one token behind a prompt, which stands at position `pos`. */
export async function decodeToken({ ffn: { cores } }: Engine, text: TextCore, feed: (plan: PlanName) => Promise<Float32Array>): Promise<Float32Array> {
  const logits = await feed(cores.before(text));
  cores.after(text);
  return logits;
}
