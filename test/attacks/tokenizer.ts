// GGUF files with vocabularies that contradict themselves, cost much or hold odd tokens, and texts that are hard to tokenize. There is no row for
// patterns of exponential time: a file names a pattern, it cannot bring one.
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { tokenizerFromGguf } from "../../runtime/text/gguf/tokenizer.ts";
import { createTokenizer } from "../../runtime/text/tokenizer.ts";
import { field, list } from "../support/gguf.ts";
import { type VocabSpec, vocabFile } from "../support/gguf-vocab.ts";
import { byteCharacters } from "../support/tokenizers.ts";
import { type Attack, type Attacks, isFolder, type Made, sourceOf } from "./attack.ts";
import { type Meter, meteredSource } from "./meter.ts";

const MODEL = "model.gguf";
/** A text in UTF-16, so that it can hold what UTF-8 cannot. */
const TEXT = "text.utf16";
const PROBES = ["", "a", "aab ba\n<s>é😀", " ", "\u0000\ufeff\uffff"];

/** Makes the tokenizer of a file and takes texts there and back. */
export async function readGgufTokenizer(made: Made, meter: Meter): Promise<void> {
  const [file, text] = isFolder(made) ? [made.get(MODEL) as Uint8Array, made.get(TEXT)] : [made];
  const { metadata } = await openGguf(meteredSource(sourceOf(file, MODEL), meter));
  const { tokenizer: description, config } = tokenizerFromGguf(metadata);
  const tokenizer = createTokenizer(JSON.stringify(description), JSON.stringify(config));
  const texts = text ? [new TextDecoder("utf-16le", { ignoreBOM: true }).decode(text), lone(text)] : PROBES;
  for (const each of texts) {
    const ids = tokenizer.encode(each);
    if (ids.some((id) => id >= tokenizer.vocabSize)) throw new Error("an id beyond the vocabulary");
    tokenizer.decode(ids.subarray(0, 1000));
  }
}

/** The first thousand units as they are, lone surrogates too. */
const lone = (text: Uint8Array) => String.fromCharCode(...new Uint16Array(text.slice(0, 2000).buffer));

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const key = (name: string) => `tokenizer.ggml.${name}`;

const SPM: VocabSpec = {
  model: "llama",
  tokens: ["<unk>", "<s>", "</s>", ...BYTES, "ab", "▁a", "a", "b", "▁"],
  scores: [0, 0, 0, ...BYTES.map(() => 0), 0, -1, -2, -3, -4],
  types: [2, 3, 3, ...BYTES.map(() => 6), 1, 1, 1, 1, 1],
};
const BPE: VocabSpec = {
  model: "gpt2",
  pre: "gpt-2",
  tokens: ["<s>", ...byteCharacters(), "ab", "Ġa"],
  types: [3, ...byteCharacters().map(() => 1), 1, 1],
  merges: ["a b", "Ġ a"],
};
const UNIGRAM: VocabSpec = { model: "t5", tokens: ["<pad>", "</s>", "<unk>", "▁", "a", "ab"], scores: [0, 0, 0, -1, -2, -3], types: [3, 3, 2, 1, 1, 1] };

const made = (spec: VocabSpec, expect: Attack["expect"], what?: string): Attack => ({ make: () => vocabFile(spec), expect, what: what && key(what) });
const spm = (changes: Partial<VocabSpec>, expect: Attack["expect"], what?: string) => made({ ...SPM, ...changes }, expect, what);
const bpe = (changes: Partial<VocabSpec>, expect: Attack["expect"], what?: string) => made({ ...BPE, ...changes }, expect, what);
const unigram = (changes: Partial<VocabSpec>, expect: Attack["expect"], what?: string) => made({ ...UNIGRAM, ...changes }, expect, what);
/** More tokens, all normal and each worse than the one before. */
const more = (tokens: readonly string[]): Partial<VocabSpec> => ({
  tokens: [...SPM.tokens, ...tokens],
  scores: [...(SPM.scores as number[]), ...tokens.map((_, i) => -5 - i)],
  types: [...(SPM.types as number[]), ...tokens.map(() => 1)],
});
const size = SPM.tokens.length;

export const GGUF_VOCABULARY: Attacks = {
  "sound SentencePiece": spm({}, "accept"),
  "sound byte-level BPE": bpe({}, "accept"),
  "sound unigram": unigram({}, "accept"),
  "kind __proto__": spm({ model: "__proto__" }, "model.tokenizer", "model"),
  "kind bert": spm({ model: "bert" }, "model.tokenizer", "model"),
  "kind is a number": spm({ more: { model: field("u32", 1) } }, "model.config", "model"),
  "no tokens at all": spm({ tokens: [], scores: [], types: [] }, "model.tokenizer", "tokens"),
  "tokens are one text": spm({ more: { tokens: field("string", "a") } }, "model.config", "tokens"),
  "tokens are numbers": spm({ more: { tokens: list("u32", [1, 2]) } }, "model.config", "tokens"),
  "a token that is not UTF-8": spm({ more: { tokens: list("string", [Uint8Array.of(0xff)]) } }, "format.header"),
  "a token of 65,537 characters": spm(more(["a".repeat(65_537)]), "model.tokenizer", "tokens"),
  "2^20 + 1 tokens": bpe({ tokens: Array.from({ length: 2 ** 20 + 1 }, (_, i) => `${i}`), types: undefined }, "model.tokenizer", "tokens"),
  "fewer scores than tokens": spm({ scores: [0] }, "model.config", "scores"),
  "more scores than tokens": spm({ scores: [...(SPM.scores as number[]), 0] }, "model.config", "scores"),
  "no scores": spm({ scores: undefined }, "model.config", "scores"),
  "scores NaN": spm({ scores: SPM.tokens.map(() => Number.NaN) }, "model.config", "scores"),
  "scores infinite": unigram({ scores: UNIGRAM.tokens.map(() => Number.NEGATIVE_INFINITY) }, "model.config", "scores"),
  "scores as whole numbers": spm({ more: { scores: list("i32", SPM.scores as number[]) } }, "model.config", "scores"),
  "scores all equal": spm({ scores: SPM.tokens.map(() => 0) }, "accept"),
  "fewer types than tokens": spm({ types: [1] }, "model.config", "token_type"),
  "types as f32": spm({ more: { token_type: list("f32", SPM.types as number[]) } }, "model.config", "token_type"),
  "type 7": spm({ types: [7, ...(SPM.types as number[]).slice(1)] }, "model.tokenizer", "token_type"),
  "type -1": bpe({ types: [-1, ...(BPE.types as number[]).slice(1)] }, "model.tokenizer", "token_type"),
  "no types": spm({ types: undefined }, "accept"),
  "all tokens are special": spm({ types: SPM.tokens.map(() => 3) }, "accept"),
  "no token is normal": unigram({ types: UNIGRAM.tokens.map(() => 3) }, "model.tokenizer", "token_type"),
  "bos id is the size of the vocabulary": spm({ more: { bos_token_id: field("u32", size) } }, "model.config", "bos_token_id"),
  "bos id -1": spm({ more: { bos_token_id: field("i32", -1) } }, "model.config", "bos_token_id"),
  "eos id 2^32 - 1": bpe({ more: { eos_token_id: field("u32", 2 ** 32 - 1) } }, "model.config", "eos_token_id"),
  "eos id 2^64 - 1": bpe({ more: { eos_token_id: field("u64", 2n ** 64n - 1n) } }, "model.config", "eos_token_id"),
  "eot id is a text": bpe({ more: { eot_token_id: field("string", "<s>") } }, "model.config", "eot_token_id"),
  "unknown id beyond the vocabulary": unigram({ more: { unknown_token_id: field("u32", 6) } }, "model.config", "unknown_token_id"),
  "padding id 2^32 - 1, as converters wrote for none": spm({ more: { padding_token_id: field("u32", 2 ** 32 - 1) } }, "accept"),
  "add_bos_token is a number": spm({ more: { add_bos_token: field("u8", 1) } }, "model.config", "add_bos_token"),
  "chat template is a list": spm({ more: { "tokenizer.chat_template": list("string", ["a"]) } }, "model.config"),
  "way to cut words unknown": bpe({ pre: "(a+)+$" }, "model.tokenizer", "pre"),
  "way to cut words __proto__": bpe({ pre: "__proto__" }, "model.tokenizer", "pre"),
  "no way to cut words": bpe({ pre: undefined }, "accept"),
  "no merges": bpe({ merges: undefined }, "model.config", "merges"),
  "merges are empty": bpe({ merges: [] }, "accept"),
  "merges are numbers": bpe({ more: { merges: list("u32", [1]) } }, "model.config", "merges"),
  "a merge of unknown tokens": bpe({ merges: ["x y"] }, "model.tokenizer", "merges"),
  "a merge into an unknown token": bpe({ merges: ["b a"] }, "model.tokenizer", "merges"),
  "a merge of one token": bpe({ merges: ["ab"] }, "model.tokenizer", "merges"),
  "a merge of three": bpe({ merges: ["a b a"] }, "model.tokenizer", "merges"),
  "a merge of nothing": bpe({ merges: [""] }, "model.tokenizer", "merges"),
  "a merge twice": bpe({ merges: ["a b", "Ġ a", "a b"] }, "accept"),
  "tokens spelled alike": spm(more(["ab", "ab", "<s>"]), "accept"),
  "every token spelled alike": bpe({ tokens: BPE.tokens.map(() => "a"), merges: [] }, "accept"),
  "empty tokens": spm(more(["", "", ""]), "accept"),
  "an empty control token": spm({ ...more([""]), types: [...(SPM.types as number[]), 3] }, "accept"),
  "tokens named like prototypes": spm(more(["__proto__", "constructor", "toString", "hasOwnProperty"]), "accept"),
  "tokens that are numbers": spm(more(["0", "1", "10", "-1"]), "accept"),
  "tokens of control characters": spm(more(["\u0000", "\u0000\u0000", "\ufeff", "\u2028"]), "accept"),
  "no byte tokens": spm({ tokens: ["<unk>", "<s>", "</s>", "a"], scores: [0, 0, 0, -1], types: [2, 3, 3, 1] }, "accept"),
  "byte-level, hardly a byte is a token": bpe({ tokens: ["<s>", "a", "b", "ab"], types: [3, 1, 1, 1], merges: ["a b"] }, "accept"),
  "tokens made of one another in millions of ways": spm(more(Array.from({ length: 2100 }, (_, i) => "a".repeat(i + 2))), "model.tokenizer", "tokens"),
  "1,000 long tokens with long beginnings in common": spm(more(Array.from({ length: 1000 }, (_, i) => "a".repeat(5000) + i)), "model.tokenizer", "tokens"),
  "10 MB of tokens": { make: () => vocabFile({ ...SPM, ...more(Array.from({ length: 200_000 }, (_, i) => `▁token number ${i} of the vocabulary`)) }), expect: "accept" },
};

/** A sound vocabulary and a text for it. */
function text(spec: VocabSpec, value: string | (() => string), expect: Attack["expect"] = "accept"): Attack {
  const utf16 = (units: string) => new Uint8Array(Uint16Array.from({ length: units.length }, (_, i) => units.charCodeAt(i)).buffer);
  return {
    make: () =>
      new Map([
        [MODEL, vocabFile(spec)],
        [TEXT, utf16(typeof value === "string" ? value : value())],
      ]),
    expect,
  };
}

export const GGUF_TEXTS: Attacks = {
  "10 MB of words, SentencePiece": text(SPM, () => "ab abba baab ".repeat(800_000)),
  "1 MB in one word, SentencePiece": text(SPM, () => "ab".repeat(500_000)),
  "1 MB in one word, byte-level BPE": text(BPE, () => "ab".repeat(500_000)),
  "1 MB in one word, unigram": text(UNIGRAM, () => "ab".repeat(500_000)),
  "1 MB of spaces": text(SPM, () => " ".repeat(1_000_000)),
  "1 MB of spaces, byte-level BPE": text(BPE, () => " ".repeat(1_000_000)),
  "100 KB of a for a pattern": text({ ...BPE, pre: "gpt-4o" }, () => "a".repeat(100_000)),
  "100 KB of é for a pattern": text({ ...BPE, pre: "tekken" }, () => "é".repeat(100_000)),
  "100 KB of line ends and spaces for a pattern": text({ ...BPE, pre: "deepseek-llm" }, () => `${"\n ".repeat(50_000)}x`),
  "100 KB of special tokens": text(SPM, () => "<s>".repeat(33_000)),
  "100 KB of beginnings of a special token": text(SPM, () => "<".repeat(100_000)),
  "lone surrogates, SentencePiece": text(SPM, "a\ud800b\udc00 \udfff\ud83d"),
  "lone surrogates, byte-level BPE": text(BPE, "a\ud800b\udc00 \udfff\ud83d"),
  "lone surrogates, unigram": text(UNIGRAM, "a\ud800b\udc00 \udfff\ud83d"),
};
