// `tokenizer.ggml.model` = llama: SentencePiece BPE. There, of all neighbours that make a token together those with the best score are joined
// first, the leftmost of equals; what is no token in the end becomes bytes. Here the same is said with merges: every way to cut a token into
// two, ranked by the token's score.
// The two agree on every vocabulary in which scores differ and a token's parts score better than the token, as SentencePiece trains them. Equal
// scores are ranked by id where SentencePiece would go by position.
import type { GgufMetadata } from "../../formats/gguf/metadata.ts";
import { KEY, KIND, spacedWords, unusable, type Vocabulary, vocabObject } from "./vocabulary.ts";

/** Characters looked at to find merges, the square of each token's length: a vocabulary of 2^18 tokens takes 2^25. */
const MAX_WORK = 2 ** 30;
const MAX_MERGES = 2 ** 21;
const SPACE = "▁";

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

/** Every cut of a token into two tokens, longest first part first. */
function cuts(token: string, ids: ReadonlyMap<string, number>): [string, string][] {
  const found: [string, string][] = [];
  for (let at = token.length - 1; at > 0; at--) {
    if (isLowSurrogate(token, at)) continue;
    const left = token.slice(0, at);
    if (ids.has(left) && ids.has(token.slice(at))) found.push([left, token.slice(at)]);
  }
  return found;
}

/** Merges that join what SentencePiece joins, in its order. */
export function scoredMerges({ tokens, kinds, ids, warnings }: Vocabulary, scores: readonly number[]): [string, string][] {
  const order = [...ids.values()].filter((id) => tokens[id].length > 1).sort((a, b) => scores[b] - scores[a] || a - b);
  const merges: [string, string][] = [];
  let work = 0;
  let equal = 0;
  let last = Number.NaN;
  for (const id of order) {
    work += tokens[id].length ** 2;
    if (work > MAX_WORK) throw unusable(`${KEY}tokens`, "its tokens are too long to find out what they are made of");
    const found = cuts(tokens[id], ids);
    if (found.length === 0) continue;
    for (const cut of found) merges.push(cut);
    if (merges.length > MAX_MERGES) throw unusable(`${KEY}tokens`, `its tokens can be made of one another in more than ${MAX_MERGES} ways`);
    if (kinds[id] === KIND.control || kinds[id] === KIND.unknown) continue; // found in a text before anything is merged
    if (scores[id] === last) equal++;
    last = scores[id];
  }
  if (equal > 0) warnings.push(`${equal} tokens have the score of another one: where they compete for a character, the lower id wins, in llama.cpp the left one`);
  return merges;
}

const spaced = (prefix: boolean) => ({
  type: "Sequence",
  normalizers: [...(prefix ? [{ type: "Prepend", prepend: SPACE }] : []), { type: "Replace", pattern: { String: " " }, content: SPACE }],
});

const unspaced = (prefix: boolean) => ({
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: SPACE }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
  ],
});

/** @param prefix whether a space is put before a text, and behind every special token in it */
export function sentencePieceTokenizer(meta: GgufMetadata, vocabulary: Vocabulary, unk: number | undefined, prefix: boolean): object {
  const { tokens } = vocabulary;
  const scores = meta.list(`${KEY}scores`, "real", tokens.length);
  return {
    normalizer: spaced(prefix),
    pre_tokenizer: spacedWords(tokens),
    decoder: unspaced(prefix),
    model: {
      type: "BPE",
      unk_token: unk === undefined ? null : tokens[unk],
      fuse_unk: true,
      byte_fallback: true,
      vocab: vocabObject(vocabulary),
      merges: scoredMerges(vocabulary, scores),
    },
  };
}
