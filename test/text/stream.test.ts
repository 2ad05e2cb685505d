// Streaming: the pieces are whole characters, joined they are the text, and the work per token does not grow.
import { expect, test } from "vitest";
import { createRandom } from "../../runtime/num/random.ts";
import { byteCounts, createTextStream } from "../../runtime/text/stream.ts";
import { createTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { byteFallbackJson, byteLevelJson, unigramJson } from "../support/tokenizers.ts";

const byteLevel = createTokenizer(byteLevelJson());
const fallback = createTokenizer(byteFallbackJson());
const unigram = createTokenizer(unigramJson());

function stream(tokenizer: Tokenizer, ids: ArrayLike<number>): string[] {
  const text = createTextStream(tokenizer);
  return [...Array.from(ids, (id) => text.push(id)), text.flush()];
}

test("a character split over tokens comes with its last byte", () => {
  expect(stream(byteLevel, byteLevel.encode("a€b"))).toEqual(["a", "", "", "€", "b", ""]);
  const ids = [...fallback.encode("a€b")].slice(1); // without the ▁ of its own
  expect(stream(fallback, ids).join("")).toBe("a€b");
});

test.each<[string, Tokenizer, string]>([
  ["byte-level", byteLevel, "hello  world — “naïve” 漢字 👩‍👩‍👧 \n done"],
  ["byte fallback", fallback, "hello world — naïve 漢字 👩‍👩‍👧 done"],
  ["Unigram", unigram, "hello all of you"],
])("%s: the pieces joined are the text, and none holds half a character", (_, tokenizer, text) => {
  const pieces = stream(tokenizer, tokenizer.encode(text));
  expect(pieces.join("")).toBe(text);
  expect(pieces.join("|")).not.toContain("\ufffd");
});

test("byte-level: any ids at all give what decode gives", () => {
  const random = createRandom(23);
  for (let i = 0; i < 300; i++) {
    const ids = Array.from({ length: random.below(30) }, () => random.below(byteLevel.vocabSize));
    expect(stream(byteLevel, ids).join("")).toBe(byteLevel.decode(ids));
  }
});

test("an unfinished character becomes U+FFFD at the end", () => {
  expect(stream(byteLevel, byteLevel.encode("a€").slice(0, 2))).toEqual(["a", "", "\ufffd"]);
});

test("special tokens give no text and do not break a character", () => {
  const [a, b, c] = byteLevel.encode("€");
  expect(stream(byteLevel, [0, a, b, 1, c])).toEqual(["", "", "", "", "€", ""]);
});

test("bytes that never become a character do not pile up", () => {
  const byte80 = fallback.idOf("<0x80>") as number;
  const text = createTextStream(fallback);
  let out = "";
  for (let i = 0; i < 100; i++) out += text.push(byte80);
  expect(out.length).toBeGreaterThan(80);
});

test.each([
  ["byte-level", byteLevel],
  ["byte fallback", fallback],
] as const)("%s: the work per token stays the same over 100,000 tokens", (_, tokenizer) => {
  const [id] = tokenizer.encode("q").slice(-1);
  const text = createTextStream(tokenizer);
  const took = (tokens: number) => {
    const start = performance.now();
    for (let i = 0; i < tokens; i++) text.push(id);
    return performance.now() - start;
  };
  took(10_000);
  const early = took(20_000);
  took(50_000);
  expect(took(20_000)).toBeLessThan(5 * early + 20);
});

test("an id outside the vocabulary is refused", () => {
  for (const tokenizer of [byteLevel, fallback])
    expect(() => createTextStream(tokenizer).push(tokenizer.vocabSize)).toThrowError(expect.objectContaining({ code: "session.token" }));
});

test("bytes per token add up to the bytes of the text", () => {
  const text = "hello 漢 naïve";
  const size = new TextEncoder().encode(text).length;
  for (const tokenizer of [byteLevel, fallback]) expect(byteCounts(tokenizer, tokenizer.encode(text)).reduce((a, b) => a + b, 0)).toBe(size);
  expect([...byteCounts(byteLevel, byteLevel.encode("a€<|end|>"))]).toEqual([1, 1, 1, 1, 0]);
});
