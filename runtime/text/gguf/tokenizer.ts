// The tokenizer in the metadata of a GGUF file as the two documents a model folder has: tokenizer.json and tokenizer_config.json. Text becomes the
// ids that llama.cpp gives it when special tokens are recognised in texts (parse_special). Where the two can differ: a text in which two special
// tokens overlap (llama.cpp takes the longer, here the left one wins), words beyond MAX_WORD, equal scores (sentencepiece.ts), maps of characters
// (unigram.ts), characters that a vocabulary has neither a token nor bytes for.
import type { GgufMetadata } from "../../formats/gguf/metadata.ts";
import { byteLevelTokenizer, readCut } from "./bytelevel.ts";
import { sentencePieceTokenizer } from "./sentencepiece.ts";
import { unigramTokenizer } from "./unigram.ts";
import { addedTokens, endIds, KEY, quote, type Role, readVocabulary, roleId, unusable, type Vocabulary } from "./vocabulary.ts";

export interface GgufTokenizer {
  /** A tokenizer.json. */
  readonly tokenizer: object;
  /**
   * A tokenizer_config.json: `<role>_token`, `add_bos_token`, `add_eos_token`, `add_prefix_space`, `chat_template`. Beyond what Hugging Face
   * writes, `eog_token_ids`: every id that ends an answer.
   */
  readonly config: object;
  /** What is odd, yet no reason to refuse the file; sentences for a person. */
  readonly warnings: readonly string[];
}

/** The kind of a tokenizer, and what llama.cpp takes for granted about it. */
interface Model {
  readonly bos?: number;
  readonly eos?: number;
  readonly unk?: number;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly prefix: boolean;
  describe(ids: { readonly unk?: number }, prefix: boolean): object;
}

const MODELS: Readonly<Record<string, (meta: GgufMetadata, vocabulary: Vocabulary) => Model>> = {
  gpt2(meta, vocabulary) {
    const cut = readCut(meta, vocabulary.warnings);
    return { addBos: cut.bos === true, addEos: false, prefix: false, describe: () => byteLevelTokenizer(meta, vocabulary, cut) };
  },
  llama: (meta, vocabulary) => ({
    bos: 1,
    eos: 2,
    unk: 0,
    addBos: true,
    addEos: false,
    prefix: true,
    describe: ({ unk }, prefix) => sentencePieceTokenizer(meta, vocabulary, unk, prefix),
  }),
  t5: (meta, vocabulary) => ({ eos: 1, unk: 2, addBos: false, addEos: true, prefix: false, describe: ({ unk }) => unigramTokenizer(meta, vocabulary, unk) }),
};

/** Throws `model.tokenizer` for what is malformed or not supported, `model.config` for what is absent, of another type or out of range. */
export function tokenizerFromGguf(meta: GgufMetadata): GgufTokenizer {
  const name = meta.text(`${KEY}model`);
  if (!Object.hasOwn(MODELS, name)) throw unusable(`${KEY}model`, `it is of the kind ${quote(name)}, which is not supported; supported are ${Object.keys(MODELS).join(", ")}`);
  const vocabulary = readVocabulary(meta);
  const model = MODELS[name](meta, vocabulary);
  const known = (role: Role, fallback?: number) => roleId(meta, vocabulary, role) ?? (fallback !== undefined && fallback < vocabulary.tokens.length ? fallback : undefined);
  const ids = { bos: known("bos", model.bos), eos: known("eos", model.eos), unk: known("unk", model.unk), pad: known("pad") };
  const prefix = meta.flag(`${KEY}add_space_prefix`, model.prefix);
  const described = model.describe(ids, prefix);
  const spelled = Object.entries(ids).flatMap(([role, id]) => (id === undefined ? [] : [[`${role}_token`, vocabulary.tokens[id]]]));
  const template = meta.text("tokenizer.chat_template", "");
  return {
    tokenizer: { version: "1.0", truncation: null, padding: null, added_tokens: addedTokens(vocabulary, meta), ...described, post_processor: null },
    config: {
      ...Object.fromEntries(spelled),
      add_bos_token: meta.flag(`${KEY}add_bos_token`, model.addBos),
      add_eos_token: meta.flag(`${KEY}add_eos_token`, model.addEos),
      add_prefix_space: prefix,
      clean_up_tokenization_spaces: false,
      eog_token_ids: endIds(meta, vocabulary, ids.eos),
      ...(template === "" ? {} : { chat_template: template }),
    },
    warnings: vocabulary.warnings,
  };
}
