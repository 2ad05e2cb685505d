// The vocabulary in the metadata of a GGUF file: tokens, their kinds, the ids with a role. Rules are those of llama.cpp (src/llama-vocab.cpp),
// but what llama.cpp would pass over or abort on ends in an error.
import { SkintError } from "../../errors.ts";
import type { GgufMetadata } from "../../formats/gguf/metadata.ts";
import { MAX_TOKEN_LENGTH, MAX_TOKENS } from "../check.ts";

export const KEY = "tokenizer.ggml.";

/** Values of `tokenizer.ggml.token_type`. */
export const KIND = { undefined: 0, normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Longest word that is tokenized as one, in characters: what merging keeps of a word is a hundred times its length. */
export const MAX_WORD = 2 ** 16;

/** Tokens that end a text whatever their kind: llama.cpp goes by their spelling and makes them control tokens. */
const ENDS = new Set([
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<｜end▁of▁sentence｜>",
]);

export interface Vocabulary {
  /** Spelling of each id. An empty one becomes `[EMPTY_<id>]`. */
  readonly tokens: readonly string[];
  /** Kind of each id. */
  readonly kinds: readonly number[];
  /** Id of each spelling; of ids with one spelling the last. */
  readonly ids: ReadonlyMap<string, number>;
  /** What is odd about the vocabulary, yet no reason to refuse it. */
  readonly warnings: string[];
}

export function unusable(what: string, because: string): SkintError {
  return new SkintError("model.tokenizer", `the tokenizer of the GGUF file cannot be used: ${because}; convert the model again, or take another file of it`, { what });
}

export const quote = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Throws `model.tokenizer` or, for what is absent or of another type, `model.config`. */
export function readVocabulary(meta: GgufMetadata): Vocabulary {
  const key = `${KEY}tokens`;
  if (!meta.has(key)) throw unusable(key, "it has no tokens");
  const tokens = meta.list(key, "text");
  if (tokens.length === 0 || tokens.length > MAX_TOKENS) throw unusable(key, `it has ${tokens.length} tokens, 1 … ${MAX_TOKENS} are possible`);
  const kinds = readKinds(meta, tokens.length);
  const warnings: string[] = [];
  const ids = new Map<string, number>();
  let doubled = 0;
  for (const [id, token] of tokens.entries()) {
    if (token.length > MAX_TOKEN_LENGTH) throw unusable(key, `token ${id} has ${token.length} characters, at most ${MAX_TOKEN_LENGTH} are possible`);
    if (token === "") tokens[id] = `[EMPTY_${id}]`;
    if (ids.has(tokens[id])) doubled++;
    ids.set(tokens[id], id);
    if (ENDS.has(token)) kinds[id] = KIND.control;
  }
  if (doubled > 0) warnings.push(`${doubled} tokens are spelled like a later one: a text never becomes such a token, and it gives no text`);
  return { tokens, kinds, ids, warnings };
}

function readKinds(meta: GgufMetadata, length: number): number[] {
  const key = `${KEY}token_type`;
  if (!meta.has(key)) return new Array<number>(length).fill(KIND.normal);
  const kinds = meta.list(key, "whole", length);
  const odd = kinds.findIndex((kind) => kind < KIND.undefined || kind > KIND.byte);
  if (odd >= 0) throw unusable(key, `token ${odd} is of type ${kinds[odd]}, types are ${KIND.undefined} … ${KIND.byte}`);
  return kinds;
}

/** Whether the id is the one its spelling stands for. */
export const isReached = ({ tokens, ids }: Vocabulary, id: number) => ids.get(tokens[id]) === id;

/** A step of a pre-tokenizer: what matches is a piece, and so is what lies between. */
export function split(pattern: string): object {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/** Cuts text in which a space is ▁ into words, where a space opens every token it is in: same tokens, less work. Else only what is very long. */
export function spacedWords(tokens: readonly string[]): object {
  return split(tokens.some((token) => /[^▁]▁/.test(token)) ? `[\\s\\S]{1,${MAX_WORD}}` : `▁{0,${MAX_WORD}}[^▁]{1,${MAX_WORD}}|▁{1,${MAX_WORD}}`);
}

/** The vocabulary of a BPE model. An own property even where the token is `__proto__`. */
export function vocabObject({ ids }: Vocabulary): Record<string, number> {
  return Object.fromEntries(ids);
}

/**
 * Tokens that are found in a text before anything else is done to it, as in a tokenizer.json: control tokens and the unknown token, which give
 * no text, and user-defined tokens, which do.
 */
export function addedTokens(vocabulary: Vocabulary, meta: GgufMetadata): object[] {
  const { tokens, kinds } = vocabulary;
  const strips = /phi-?3/i.test(meta.text("general.name", ""));
  const added: object[] = [];
  for (const [id, content] of tokens.entries()) {
    const special = kinds[id] === KIND.control || kinds[id] === KIND.unknown;
    if ((!special && kinds[id] !== KIND.userDefined) || !isReached(vocabulary, id)) continue;
    // Phi 3 drops white space behind its tokens, but for three of them
    const rstrip = strips && !["<unk>", "<s>", "<|endoftext|>"].includes(content);
    added.push({ id, content, special, single_word: false, lstrip: false, rstrip, normalized: false });
  }
  return added;
}

const ROLES = { bos: "bos_token_id", eos: "eos_token_id", eot: "eot_token_id", eom: "eom_token_id", unk: "unknown_token_id", pad: "padding_token_id" } as const;
export type Role = keyof typeof ROLES;

/** The id with a role, if the file names one; for padding, which is not used here, 2^32 - 1 and -1 stand for none. Throws `model.config` for ids outside the vocabulary. */
export function roleId(meta: GgufMetadata, { tokens }: Vocabulary, role: Role): number | undefined {
  const key = KEY + ROLES[role];
  const value = meta.get(key)?.value;
  if (value === undefined || (role === "pad" && (value === -1 || value === 2 ** 32 - 1))) return undefined;
  return meta.whole(key, tokens.length - 1, undefined, 0);
}

/** Ids that end a text: those with the roles eos, eot and eom, and those that are spelled like one. */
export function endIds(meta: GgufMetadata, vocabulary: Vocabulary, eos: number | undefined): number[] {
  const spelled = [...ENDS].map((token) => vocabulary.ids.get(token));
  const ids = [eos, roleId(meta, vocabulary, "eot"), roleId(meta, vocabulary, "eom"), ...spelled].filter((id) => id !== undefined);
  return [...new Set(ids)].sort((a, b) => a - b);
}
