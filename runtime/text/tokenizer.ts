// Text to token ids and back, from a tokenizer.json (and tokenizer_config.json, which names the first and the last token of a text).
// The work is done by @huggingface/tokenizers; here are the checks of what comes from outside, the special tokens, and single tokens as bytes.
// Ids are u32 below vocabSize. A model may have more logits than vocabSize (padded embeddings), never fewer.
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { SkintError } from "../errors.ts";
import { checkTokenizer, isFields, parseFields, type TokenizerDescription, unusable } from "./check.ts";

export interface Tokenizer {
  /** Largest id + 1, added tokens included. */
  readonly vocabSize: number;
  /** Token that opens a text, if tokenizer_config.json names one. */
  readonly bos?: number;
  /** Token that ends a text, if tokenizer_config.json names one. */
  readonly eos?: number;
  /** Special tokens the tokenizer's template puts before a text; empty for most byte-level tokenizers. */
  readonly prefix: Uint32Array;
  /** Ids of a text, no special tokens added; special tokens spelled out in the text are recognised. Lone surrogates become U+FFFD. */
  encode(text: string): Uint32Array;
  /** Text of ids; special tokens are left out unless `special`. Bytes that are not UTF-8 become U+FFFD. Throws `session.token`. */
  decode(ids: ArrayLike<number>, special?: boolean): string;
  isSpecial(id: number): boolean;
  /** Id of a token as it is spelled in the vocabulary. */
  idOf(token: string): number | undefined;
  /** Whether every token is a fixed run of bytes, so that a text is their plain sequence. */
  readonly byteLevel: boolean;
  /** The bytes one token stands for, if `byteLevel` and the id is in use; else undefined. */
  bytesOf(id: number): Uint8Array | undefined;
}

/** Byte of each character of the byte-level alphabet (GPT-2): printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards. */
function byteAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    alphabet.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return alphabet;
}

function isByteLevel({ decoder }: TokenizerDescription): boolean {
  if (decoder?.type === "Sequence" && Array.isArray(decoder.decoders) && decoder.decoders.length === 1) return decoder.decoders[0]?.type === "ByteLevel";
  return decoder?.type === "ByteLevel";
}

/** The bytes of every token a byte-level tokenizer has; a character outside the alphabet stands for itself. */
function createByteTable(library: Library, description: TokenizerDescription): (id: number) => Uint8Array | undefined {
  const alphabet = byteAlphabet();
  const added = new Set(description.added_tokens.map((token) => token.content));
  const utf8 = new TextEncoder();
  return (id) => {
    const token = library.id_to_token(id);
    if (token === undefined) return undefined;
    if (added.has(token)) return utf8.encode(token);
    return Uint8Array.from(token, (character) => alphabet.get(character) ?? 0);
  };
}

function construct(description: TokenizerDescription): Library {
  try {
    return new Library(description, {});
  } catch (cause) {
    throw unusable("tokenizer.json", cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function largestId({ model, added_tokens }: TokenizerDescription): number {
  let largest = 0;
  if (Array.isArray(model.vocab)) largest = model.vocab.length - 1;
  else for (const id of Object.values(model.vocab as Record<string, number>)) largest = Math.max(largest, id);
  for (const { id } of added_tokens) largest = Math.max(largest, id);
  return largest;
}

/** Id of `<key>_token` in tokenizer_config.json, where it is text or { content }. */
function configured(config: Record<string, unknown>, key: string, idOf: (token: string) => number | undefined): number | undefined {
  const value = config[key];
  const token = isFields(value) ? value.content : value;
  if (typeof token !== "string") return undefined;
  const id = idOf(token);
  if (id === undefined) throw unusable(key, `tokenizer_config.json names ${JSON.stringify(token.slice(0, 40))} as ${key}, which is not in the vocabulary`);
  return id;
}

/** Tokens the template adds before a text. */
function templatePrefix(encode: (text: string, special: boolean) => number[]): Uint32Array {
  const probe = "a";
  const bare = encode(probe, false);
  const framed = encode(probe, true);
  const start = framed.findIndex((_, i) => bare.length > 0 && bare.every((id, j) => framed[i + j] === id));
  return Uint32Array.from(framed.slice(0, Math.max(start, 0)));
}

/**
 * Makes a tokenizer; throws `model.tokenizer` for anything malformed.
 * @param json text of tokenizer.json, at most MAX_TOKENIZER_BYTES
 * @param configJson text of tokenizer_config.json, if there is one
 */
export function createTokenizer(json: string, configJson?: string): Tokenizer {
  const description = checkTokenizer(json);
  const config = configJson === undefined ? {} : parseFields(configJson, "tokenizer_config.json");
  const library = construct(description);
  const vocabSize = largestId(description) + 1;
  const specials = new Set(description.added_tokens.filter((token) => token.special === true).map((token) => token.id));
  const idOf = (token: string) => library.token_to_id(token);

  function encode(text: string, special: boolean): number[] {
    let ids: (number | null | undefined)[];
    try {
      ids = library.encode(text.replace(/\p{Surrogate}/gu, "\ufffd"), { add_special_tokens: special }).ids;
    } catch (cause) {
      throw unusable("tokenizer.json", `it failed on a text of ${text.length} characters (${cause instanceof Error ? cause.message : String(cause)})`, cause);
    }
    const bad = ids.findIndex((id) => !Number.isInteger(id) || (id as number) < 0 || (id as number) >= vocabSize);
    if (bad >= 0) throw unusable("vocab", `it has no token, and no unknown token, for what stands at token ${bad} of a text`);
    return ids as number[];
  }

  function decode(ids: ArrayLike<number>, special = false): string {
    const wanted: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
        throw new SkintError("session.token", `the token ${id} is outside the vocabulary of ${vocabSize}; use the tokenizer of this model`);
      if ((special || !specials.has(id)) && library.id_to_token(id) !== undefined) wanted.push(id);
    }
    // "clean-up" deletes spaces before punctuation, so that decode(encode(text)) is another text: never wanted
    return wanted.length === 0 ? "" : library.decode(wanted, { clean_up_tokenization_spaces: false });
  }

  return {
    vocabSize,
    bos: configured(config, "bos_token", idOf),
    eos: configured(config, "eos_token", idOf),
    prefix: templatePrefix(encode),
    encode: (text) => Uint32Array.from(encode(text, false)),
    decode,
    isSpecial: (id) => specials.has(id),
    idOf,
    byteLevel: isByteLevel(description),
    bytesOf: isByteLevel(description) ? createByteTable(library, description) : () => undefined,
  };
}
