// Tokenizers: text to ids and back, what is read from the files, and that nothing malformed or hostile gets through untyped.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { explodes, MAX_TOKENIZER_BYTES } from "../../runtime/text/check.ts";
import { createTokenizer } from "../../runtime/text/tokenizer.ts";
import { byteCharacters, byteFallbackJson, byteLevelConfig, byteLevelDescription, byteLevelJson, unigramJson } from "../support/tokenizers.ts";

const byteLevel = createTokenizer(byteLevelJson(), byteLevelConfig());
const utf8 = new TextEncoder();
const byteToken = (byte: number) => 2 + byte;

test("merges are applied in their order", () => {
  expect([...byteLevel.encode("hello worm")].map((id) => new TextDecoder().decode(byteLevel.bytesOf(id)))).toEqual(["hello", " wor", "m"]);
});

test("decode gives the text back, whatever it holds", () => {
  for (const text of ["", " ", "hello  world \n\t", "naïve “ä” 漢字 👩‍👩‍👧", "it 's , and . stays ?", "\ufeffBOM", "\0"])
    expect(byteLevel.decode(byteLevel.encode(text))).toBe(text);
});

test("the first and the last token come from the config, as text or as an object", () => {
  expect({ bos: byteLevel.bos, eos: byteLevel.eos, size: byteLevel.vocabSize }).toEqual({ bos: 0, eos: 1, size: 265 });
  expect(createTokenizer(byteLevelJson())).toMatchObject({ bos: undefined, eos: undefined });
});

test("no special tokens are added; those spelled out are recognised, and left out of the text unless asked for", () => {
  const ids = byteLevel.encode("<|begin|>hello<|end|>");
  expect([...ids]).toEqual([0, byteLevel.idOf("hello"), 1]);
  expect(byteLevel.decode(ids)).toBe("hello");
  expect(byteLevel.decode(ids, true)).toBe("<|begin|>hello<|end|>");
  expect([byteLevel.isSpecial(0), byteLevel.isSpecial(5)]).toEqual([true, false]);
});

test("what the template puts before a text is known and not added by encode", () => {
  const llama = createTokenizer(byteFallbackJson());
  expect([...llama.prefix]).toEqual([1]);
  expect([...llama.encode("hello")]).toEqual(["▁he", "llo"].map((token) => llama.idOf(token)));
  expect(byteLevel.prefix.length).toBe(0);
});

test("byte fallback and Unigram decode what they encode", () => {
  for (const json of [byteFallbackJson(), unigramJson()]) {
    const tokenizer = createTokenizer(json);
    expect(tokenizer.decode(tokenizer.encode("hello all of you"))).toBe("hello all of you");
    expect(tokenizer.byteLevel).toBe(false);
    expect(tokenizer.bytesOf(5)).toBeUndefined();
  }
  const llama = createTokenizer(byteFallbackJson());
  expect(llama.decode(llama.encode("hello 漢"))).toBe("hello 漢");
});

test("each byte-level token is its bytes", () => {
  byteCharacters().forEach((character, byte) => {
    expect(byteLevel.idOf(character)).toBe(byteToken(byte));
    expect([...(byteLevel.bytesOf(byteToken(byte)) as Uint8Array)]).toEqual([byte]);
  });
  expect(byteLevel.bytesOf(0)).toEqual(utf8.encode("<|begin|>"));
});

test("bytes that are not UTF-8 decode to U+FFFD", () => {
  expect(byteLevel.decode([byteToken(0x61), byteToken(0xff), byteToken(0x62)])).toBe("a\ufffdb");
});

test("lone surrogates become U+FFFD", () => {
  for (const tokenizer of [byteLevel, createTokenizer(byteFallbackJson())]) expect(tokenizer.decode(tokenizer.encode("a\ud800b\udc00"))).toBe("a\ufffdb\ufffd");
});

test("a megabyte is encoded, one word or many", () => {
  const text = "hello world ".repeat(90_000);
  expect(byteLevel.decode(byteLevel.encode(text))).toBe(text);
  expect(byteLevel.encode("a".repeat(1_000_000)).length).toBe(1_000_000);
  expect(byteLevel.encode(" ".repeat(1_000_000)).length).toBe(1_000_000);
  expect(createTokenizer(byteFallbackJson()).encode("a".repeat(1_000_000)).length).toBe(1_000_001);
}, 60_000);

test("random UTF-16 never crashes, and valid text comes back", () => {
  const random = createRandom(17);
  for (let i = 0; i < 300; i++) {
    const text = String.fromCharCode(...Array.from({ length: random.below(40) }, () => random.below(random.below(2) ? 128 : 65_536)));
    const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8.encode(text));
    expect(byteLevel.decode(byteLevel.encode(text))).toBe(expected);
  }
});

test.each([265, -1, 0.5, Number.NaN])("the id %s cannot be decoded", (id) => {
  expect(() => byteLevel.decode([id])).toThrowError(expect.objectContaining({ code: "session.token" }));
});

test("ids in a gap of the vocabulary give no text", () => {
  const description = byteLevelDescription();
  description.added_tokens.push({ id: 300, content: "<extra>", special: false });
  const tokenizer = createTokenizer(JSON.stringify(description));
  expect(tokenizer.vocabSize).toBe(301);
  expect(tokenizer.decode([byteToken(0x61), 280, 300])).toBe("a<extra>");
});

/** The byte-level description with some parts replaced; undefined takes a part away. */
const broken = (changes: Record<string, unknown>) => JSON.stringify({ ...byteLevelDescription(), ...changes });
const brokenModel = (changes: Record<string, unknown>) => broken({ model: { ...byteLevelDescription().model, ...changes } });

test.each<[string, () => string]>([
  ["empty text", () => ""],
  ["not JSON", () => "{"],
  ["a list", () => "[]"],
  ["null", () => "null"],
  ["200,000 nested brackets", () => "[".repeat(200_000) + "]".repeat(200_000)],
  ["longer than the limit", () => " ".repeat(MAX_TOKENIZER_BYTES + 1)],
  ["no model", () => broken({ model: undefined })],
  ["a model of unknown type", () => brokenModel({ type: "WordLevel" })],
  ["no vocabulary", () => brokenModel({ vocab: undefined })],
  ["an empty vocabulary", () => brokenModel({ vocab: {} })],
  ["a vocabulary of the wrong kind", () => brokenModel({ vocab: [["a", 0]] })],
  ["a negative id", () => brokenModel({ vocab: { a: -1 } })],
  ["an id of 2^32", () => brokenModel({ vocab: { a: 2 ** 32 } })],
  ["half an id", () => brokenModel({ vocab: { a: 0.5 } })],
  ["two tokens with one id", () => brokenModel({ vocab: { a: 1, b: 1 } })],
  ["no merges", () => brokenModel({ merges: undefined })],
  ["a merge of three", () => brokenModel({ merges: ["a b c"] })],
  ["a merge that is a number", () => brokenModel({ merges: [7] })],
  ["a merge into an unknown token", () => brokenModel({ merges: ["a b"] })],
  ["an added token without text", () => broken({ added_tokens: [{ id: 1 }] })],
  ["an added token with id 2^31", () => broken({ added_tokens: [{ id: 2 ** 31, content: "x" }] })],
  ["added tokens that are no list", () => broken({ added_tokens: {} })],
  ["an unknown pre-tokenizer", () => broken({ pre_tokenizer: { type: "Magic" } })],
  ["a pre-tokenizer that is a number", () => broken({ pre_tokenizer: 3 })],
  ["steps of length 0", () => broken({ pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "FixedLength", length: 0 }] } })],
  ["a pattern of exponential time", () => broken({ pre_tokenizer: { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false } })],
  ["a pattern that is no pattern", () => broken({ pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated", invert: false } })],
  ["a replacement of 5 KB", () => broken({ normalizer: { type: "Replace", pattern: { String: "a" }, content: "x".repeat(5000) } })],
  ["20,000 normalisers", () => broken({ normalizer: { type: "Sequence", normalizers: new Array(20_000).fill({ type: "NFC" }) } })],
  ["Unigram scores missing", () => JSON.stringify({ model: { type: "Unigram", unk_id: 0, vocab: [["a"]] } })],
  ["an unknown token outside the vocabulary", () => JSON.stringify({ model: { type: "Unigram", unk_id: 5, vocab: [["a", 0]] } })],
])("%s: refused with model.tokenizer", (_, make) => {
  expect(() => createTokenizer(make())).toThrowError(expect.objectContaining({ code: "model.tokenizer" }));
});

test("a config that names a token outside the vocabulary is refused", () => {
  expect(() => createTokenizer(byteLevelJson(), JSON.stringify({ eos_token: "</s>" }))).toThrowError(
    expect.objectContaining({ code: "model.tokenizer", place: { what: "eos_token" } }),
  );
});

test("names of prototypes are tokens like any other", () => {
  const description = JSON.parse(byteLevelJson());
  const names = '"__proto__":265,"constructor":266,"toString":267';
  const tokenizer = createTokenizer(JSON.stringify(description).replace('"vocab":{', `"vocab":{${names},`));
  expect(tokenizer.idOf("__proto__")).toBe(265);
  expect(tokenizer.vocabSize).toBe(268);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("an added token that is empty is ignored", () => {
  const tokenizer = createTokenizer(broken({ added_tokens: [{ id: 264, content: "", special: false }] }));
  expect(tokenizer.decode(tokenizer.encode("hello"))).toBe("hello");
});

test("a text that the tokenizer has no token for is an error, not a silent loss of ids", () => {
  const tokenizer = createTokenizer(
    JSON.stringify({ pre_tokenizer: { type: "Whitespace" }, model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab: { a: 0 } } }),
  );
  expect(() => tokenizer.encode("b")).toThrowError(expect.objectContaining({ code: "model.tokenizer" }));
});

test.each([
  ["(a+)+", true],
  ["(?:a*b?)*", true],
  ["((a+)b)+", true],
  ["(\\p{L}+){2,}", true],
  ["(x[)]+)*", true],
  ["(a|b)*", false],
  ["\\(a+\\)+", false],
  ["[(a+)+]+", false],
  ["'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", false],
  ["(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", false],
])("pattern %s takes exponential time: %s", (pattern, expected) => {
  expect(explodes(pattern)).toBe(expected);
});

const shipped = new URL("../../models/tiny-swiglu/", import.meta.url);
test("the tokenizer of tiny-swiglu gives its held-out text back", () => {
  const read = (file: string) => readFileSync(new URL(file, shipped), "utf8");
  const tokenizer = createTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
  const text = read("heldout.txt");
  const ids = tokenizer.encode(text);
  expect(tokenizer.decode(ids)).toBe(text);
  expect(ids.length).toBeLessThan(text.length / 2);
  expect(tokenizer.isSpecial(tokenizer.eos as number)).toBe(true);
});
