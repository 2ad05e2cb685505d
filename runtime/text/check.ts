// Checks a tokenizer.json from outside before the tokenizer library sees it: structure, ids, merges, sizes, patterns whose time explodes.
// Gives back the same description with the parts the library insists on filled in. Not a judge of whether the tokenizer fits a model.
import { SkintError } from "../errors.ts";

/** Longest tokenizer.json that is read, in bytes and in UTF-16 units. */
export const MAX_TOKENIZER_BYTES = 64 * 2 ** 20;
/** Ids lie below this; the largest published vocabularies have about 2^18 tokens. */
export const MAX_TOKENS = 2 ** 20;
export const MAX_TOKEN_LENGTH = 2 ** 16;
/** Steps of normaliser, pre-tokenizer, decoder and post-processor together, and the length of a text in them. */
const MAX_STEPS = 10_000;
const MAX_STEP_TEXT = 4096;
const MODELS = ["BPE", "Unigram", "WordPiece"];

type Fields = Record<string, unknown>;

/** A checked description, ready for the library. */
export interface TokenizerDescription extends Fields {
  readonly model: Fields & { readonly type: string };
  readonly added_tokens: readonly AddedToken[];
  readonly decoder: Fields | null;
}

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

export function unusable(what: string, because: string, cause?: unknown): SkintError {
  return new SkintError("model.tokenizer", `the tokenizer cannot be used: ${because}; fetch tokenizer.json again from where the model was published`, { what }, { cause });
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function parseFields(json: string, what: string): Fields {
  if (json.length > MAX_TOKENIZER_BYTES) throw unusable(what, `it is longer than ${MAX_TOKENIZER_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw unusable(what, "it is not JSON", cause);
  }
  if (!isFields(value)) throw unusable(what, "it is not a JSON object");
  return value;
}

function checkId(id: unknown, token: string): number {
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_TOKENS)
    throw unusable("vocab", `the token ${JSON.stringify(token.slice(0, 40))} has the id ${String(id)}, ids are whole numbers below ${MAX_TOKENS}`);
  return id as number;
}

function checkToken(token: unknown, what: string): string {
  if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH) throw unusable(what, `${what} holds a token that is not text of at most ${MAX_TOKEN_LENGTH} characters`);
  return token;
}

/** Tokens of the model; throws when two share an id. */
function checkVocab(model: Fields): Set<string> {
  const vocab = model.vocab;
  if (Array.isArray(vocab)) {
    if (vocab.length === 0 || vocab.length > MAX_TOKENS) throw unusable("vocab", `it has ${vocab.length} tokens, 1 … ${MAX_TOKENS} are possible`);
    for (const pair of vocab) if (!Array.isArray(pair) || !Number.isFinite(pair[1])) throw unusable("vocab", "a Unigram vocabulary is a list of [token, score]");
    const unknown = model.unk_id ?? null;
    if (unknown !== null && checkId(unknown, "unk_id") >= vocab.length) throw unusable("vocab", `unk_id ${String(unknown)} is outside the vocabulary of ${vocab.length}`);
    return new Set(vocab.map((pair) => checkToken(pair[0], "vocab")));
  }
  if (!isFields(vocab)) throw unusable("vocab", "it has no vocabulary");
  const entries = Object.entries(vocab);
  if (entries.length === 0) throw unusable("vocab", "its vocabulary is empty");
  const ids = new Set<number>();
  for (const [token, id] of entries) {
    if (ids.has(checkId(id, checkToken(token, "vocab")))) throw unusable("vocab", `two tokens have the id ${String(id)}`);
    ids.add(id as number);
  }
  return new Set(entries.map(([token]) => token));
}

/** Every merge joins two tokens into a third. */
function checkMerges(model: Fields, tokens: ReadonlySet<string>): void {
  if (!Array.isArray(model.merges)) throw unusable("merges", "a BPE model needs a list of merges");
  const prefix = typeof model.continuing_subword_prefix === "string" ? model.continuing_subword_prefix : "";
  model.merges.forEach((merge: unknown, rank) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((p) => typeof p === "string" && p.length > 0)) throw unusable("merges", `merge ${rank} is not a pair of tokens`);
    const joined = pair[0] + (prefix && pair[1].startsWith(prefix) ? pair[1].slice(prefix.length) : pair[1]);
    const missing = [pair[0], pair[1], joined].find((t) => !tokens.has(t));
    if (missing !== undefined) throw unusable("merges", `merge ${rank} names ${JSON.stringify(missing.slice(0, 40))}, which is not in the vocabulary`);
  });
}

function checkModel(value: unknown): Fields & { type: string } {
  if (!isFields(value)) throw unusable("model", "it has no model");
  const type = value.type ?? (Array.isArray(value.vocab) ? "Unigram" : Array.isArray(value.merges) ? "BPE" : "WordPiece");
  if (!MODELS.includes(type as string)) throw unusable("model", `its model is of type ${JSON.stringify(type)}, supported are ${MODELS.join(", ")}`);
  const tokens = checkVocab(value);
  if (type === "Unigram" && !Array.isArray(value.vocab)) throw unusable("vocab", "a Unigram vocabulary is a list of [token, score]");
  if (type !== "Unigram" && Array.isArray(value.vocab)) throw unusable("vocab", `the vocabulary of a ${String(type)} model maps tokens to ids`);
  if (type === "BPE") checkMerges(value, tokens);
  return { ...value, type: type as string };
}

function checkAddedTokens(value: unknown): AddedToken[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_TOKENS) throw unusable("added_tokens", "its added_tokens are not a list");
  for (const token of value) {
    if (!isFields(token)) throw unusable("added_tokens", "an added token is not an object");
    checkId(token.id, checkToken(token.content, "added_tokens"));
  }
  return value.filter((token) => token.content !== ""); // the reference implementation ignores empty ones too
}

/**
 * Whether a pattern repeats, without bound, a group that itself repeats without bound: (a+)*. A backtracking engine takes exponential time on
 * such a pattern; no published tokenizer has one. Patterns of polynomial time pass.
 */
export function explodes(pattern: string): boolean {
  const open: boolean[] = [];
  let inside = false; // the group being read repeats something without bound
  let closed = false; // the last thing read was a group that does
  for (let i = 0; i < pattern.length; i++) {
    const rest = pattern.slice(i, i + 16);
    const quantifier = /^(?:[*+]|\{\d*,\}|\{\d*,?\d{3,}\})/.exec(rest)?.[0];
    if (quantifier) {
      if (closed) return true;
      inside = true;
      i += quantifier.length - 1;
    } else if (rest[0] === "\\") i++;
    else if (rest[0] === "[") i = classEnd(pattern, i);
    else if (rest[0] === "(") {
      open.push(inside);
      inside = false;
    } else if (rest[0] === ")") {
      closed = inside;
      inside = (open.pop() ?? false) || closed;
      continue;
    }
    closed = false;
  }
  return false;
}

/** Index of the bracket that closes the character class opened at `start`. */
function classEnd(pattern: string, start: number): number {
  let depth = 0;
  for (let i = start; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "[") depth++;
    else if (pattern[i] === "]" && i > start + 1 && --depth === 0) return i;
  }
  return pattern.length;
}

/** Walks a normaliser, pre-tokenizer, post-processor or decoder and whatever it contains. */
function checkSteps(root: unknown, what: string): Fields | null {
  if (root === undefined || root === null) return null;
  if (!isFields(root)) throw unusable(what, `its ${what} is not an object`);
  const pending: [string, unknown][] = [[what, root]];
  for (let seen = 0; pending.length > 0; seen++) {
    if (seen > MAX_STEPS) throw unusable(what, `its ${what} has more than ${MAX_STEPS} parts`);
    const [key, value] = pending.pop() as [string, unknown];
    if (typeof value === "string" && key !== "precompiled_charsmap" && value.length > MAX_STEP_TEXT)
      throw unusable(what, `${key} is a text of ${value.length} characters, at most ${MAX_STEP_TEXT} are possible`);
    if (key === "Regex" && typeof value === "string" && explodes(value))
      throw unusable(what, `its pattern ${JSON.stringify(value.slice(0, 80))} repeats a repetition, which takes for ever on some texts`);
    if (typeof value !== "object" || value === null) continue;
    if ((value as Fields).type === "FixedLength" && !(((value as { length?: unknown }).length as number) >= 1)) throw unusable(what, "a FixedLength step has a length below 1");
    for (const entry of Object.entries(value)) pending.push(entry);
  }
  return root;
}

/** Reads and checks the text of a tokenizer.json. Throws `model.tokenizer`; `place.what` is the part that is wrong. */
export function checkTokenizer(json: string): TokenizerDescription {
  const description = parseFields(json, "tokenizer.json");
  return {
    ...description,
    model: checkModel(description.model),
    added_tokens: checkAddedTokens(description.added_tokens),
    normalizer: checkSteps(description.normalizer, "normalizer"),
    pre_tokenizer: checkSteps(description.pre_tokenizer, "pre_tokenizer"),
    post_processor: checkSteps(description.post_processor, "post_processor"),
    decoder: checkSteps(description.decoder, "decoder"),
  };
}
