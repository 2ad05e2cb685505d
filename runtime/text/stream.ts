// Token ids to text as they come. A token may end in the middle of a character (byte-level BPE, byte fallback): only complete characters are
// given out, and the pieces joined are `decode` of all ids. Constant work per token. Special tokens give no text.
import { SkintError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface TextStream {
  /** Takes a token and gives the text that is complete with it, possibly none. */
  push(id: number): string;
  /** The rest, at the end of the text; an unfinished character becomes U+FFFD. */
  flush(): string;
}

/** Tokens after which text that ends in U+FFFD is given out as it is: a character has at most four bytes, so it will not be completed. */
const MAX_PENDING = 8;
/** Tokens decoded again as context when the tokenizer is not byte-level: what a decoder does to a token depends on the one before. */
const CONTEXT = 4;

function checkId(tokenizer: Tokenizer, id: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= tokenizer.vocabSize)
    throw new SkintError("session.token", `the token ${id} is outside the vocabulary of ${tokenizer.vocabSize}; use the tokenizer of this model`);
}

/** Byte-level: tokens are bytes, and the decoder of UTF-8 holds back what is incomplete. */
function createByteStream(tokenizer: Tokenizer): TextStream {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push(id) {
      checkId(tokenizer, id);
      const bytes = tokenizer.isSpecial(id) ? undefined : tokenizer.bytesOf(id);
      return bytes === undefined ? "" : utf8.decode(bytes, { stream: true });
    },
    flush: () => utf8.decode(),
  };
}

/** Any other: decodes a few tokens of context with and without the pending ones; the difference is their text. */
function createWindowStream(tokenizer: Tokenizer): TextStream {
  let context: number[] = [];
  let pending: number[] = [];
  function emit(): string {
    const before = tokenizer.decode(context);
    const after = tokenizer.decode([...context, ...pending]);
    context = [...context, ...pending].slice(-CONTEXT);
    pending = [];
    return after.slice(before.length);
  }
  return {
    push(id) {
      checkId(tokenizer, id);
      if (tokenizer.isSpecial(id)) return "";
      pending.push(id);
      const incomplete = tokenizer.decode([...context, ...pending]).endsWith("\ufffd");
      return incomplete && pending.length < MAX_PENDING ? "" : emit();
    },
    flush: () => (pending.length > 0 ? emit() : ""),
  };
}

export function createTextStream(tokenizer: Tokenizer): TextStream {
  return tokenizer.byteLevel ? createByteStream(tokenizer) : createWindowStream(tokenizer);
}

/**
 * Bytes of UTF-8 that each token adds to the text; their sum is the length of the text (of `decode`, for tokenizers that are not byte-level,
 * where a character split over tokens counts at its last one). For bits per byte.
 */
export function byteCounts(tokenizer: Tokenizer, ids: ArrayLike<number>): Uint32Array {
  const counts = new Uint32Array(ids.length);
  const utf8 = new TextEncoder();
  const stream = createTextStream(tokenizer);
  for (let i = 0; i < ids.length; i++) {
    const bytes = tokenizer.isSpecial(ids[i]) ? undefined : tokenizer.bytesOf(ids[i]);
    counts[i] = bytes?.length ?? utf8.encode(stream.push(ids[i])).length;
  }
  if (ids.length > 0) counts[ids.length - 1] += utf8.encode(stream.flush()).length;
  return counts;
}
