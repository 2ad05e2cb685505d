// `tokenizer.ggml.model` = t5: SentencePiece unigram. A character map in the file is taken for SentencePiece's nmt_nfkc, the only one the library knows.
import type { GgufMetadata } from "../../formats/gguf/metadata.ts";
import { KEY, KIND, spacedWords, unusable, type Vocabulary } from "./vocabulary.ts";

const SPACE = "▁";

/** Spaces as SentencePiece wants them. `merged`: no more than one, none at the end, always one at the beginning. */
function normalizer(meta: GgufMetadata, warnings: string[]): object {
  const merged = meta.flag(`${KEY}remove_extra_whitespaces`, false);
  const prefix = meta.flag(`${KEY}add_space_prefix`, false);
  const replace = (pattern: object, content: string) => ({ type: "Replace", pattern, content });
  const steps: object[] = [];
  if (meta.has(`${KEY}precompiled_charsmap`)) {
    meta.list(`${KEY}precompiled_charsmap`, "whole");
    warnings.push(`${KEY}precompiled_charsmap is taken for SentencePiece's nmt_nfkc; another map is not read`);
    steps.push({ type: "Precompiled", precompiled_charsmap: "" });
  }
  if (merged) steps.push({ type: "Prepend", prepend: " " }, replace({ Regex: " +" }, " "), replace({ Regex: " \\z" }, ""));
  else if (prefix) steps.push(replace({ Regex: "\\A(?= *[^ ])" }, " "));
  return { type: "Sequence", normalizers: [...steps, replace({ String: " " }, SPACE)] };
}

/** Tokens and scores. Tokens that a text is never made of get the lowest score of those it is: the library takes its own unknown score from it. */
function scored(meta: GgufMetadata, { tokens, kinds }: Vocabulary): [string, number][] {
  const key = `${KEY}scores`;
  const scores = meta.list(key, "real", tokens.length);
  const lowest = scores.reduce((low, score, id) => (kinds[id] === KIND.normal ? Math.min(low, score) : low), Number.POSITIVE_INFINITY);
  if (lowest === Number.POSITIVE_INFINITY) throw unusable(`${KEY}token_type`, "not one of its tokens is of the normal kind");
  const score = (id: number) => {
    if (kinds[id] === KIND.userDefined) return 0;
    return kinds[id] === KIND.normal || kinds[id] === KIND.unused ? Math.max(scores[id], lowest) : lowest;
  };
  return tokens.map((token, id) => [token, score(id)]);
}

export function unigramTokenizer(meta: GgufMetadata, vocabulary: Vocabulary, unk: number | undefined): object {
  if (unk === undefined) throw unusable(`${KEY}unknown_token_id`, "it has no token for what is unknown");
  return {
    normalizer: normalizer(meta, vocabulary.warnings),
    pre_tokenizer: spacedWords(vocabulary.tokens),
    decoder: { type: "Metaspace", replacement: SPACE, prepend_scheme: "always" },
    model: { type: "Unigram", unk_id: unk, vocab: scored(meta, vocabulary) },
  };
}
