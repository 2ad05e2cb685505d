// Tokenizers out of GGUF metadata: the ids of llama.cpp, PyPI tokenizers and sentencepiece; scores as merges; what the documents say.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../../runtime/num/random.ts";
import { explodes } from "../../runtime/text/check.ts";
import { CUTS } from "../../runtime/text/gguf/patterns.ts";
import { tokenizerFromGguf } from "../../runtime/text/gguf/tokenizer.ts";
import { field, list } from "../support/gguf.ts";
import { metadataOf, tokenizerOf, type VocabSpec, vocabFile } from "../support/gguf-vocab.ts";
import { sentencePieceIds } from "../support/sentencepiece.ts";

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
const golden = read("gguf-golden.json");
const TEXTS: readonly string[] = golden.input;
const llamacpp: { readonly groups: readonly { readonly names: readonly string[]; readonly ids: readonly number[][] }[] } = read("gguf-llamacpp-golden.json");

const flags = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, field("bool", true)]));
const SPECS: Readonly<Record<string, VocabSpec>> = {
  llama: { model: "llama", ...golden.llama },
  t5: { model: "t5", ...golden.t5, more: flags(["add_space_prefix", "remove_extra_whitespaces"]) },
};
const specOf = (name: string): VocabSpec => SPECS[name] ?? { model: "gpt2", pre: name, ...golden.gpt2 };
const encode = async (spec: VocabSpec) => {
  const tokenizer = await tokenizerOf(spec);
  return TEXTS.map((text) => [...tokenizer.encode(text)]);
};
const byText = (ids: readonly number[][]) => TEXTS.map((text, i) => [text, ids[i]]);

describe("ids of llama.cpp", () => {
  test.each(llamacpp.groups.flatMap(({ names, ids }) => names.map((name) => ({ name, ids }))))("$name", async ({ name, ids }) => {
    expect(byText(await encode(specOf(name)))).toEqual(byText(ids));
  });
});

describe("ids of PyPI tokenizers", () => {
  test.each(Object.entries<number[][]>(golden.gpt2.ids))("%s", async (name, ids) => {
    expect(byText(await encode(specOf(name)))).toEqual(byText(ids));
  });
});

test("ids and texts of PyPI sentencepiece: BPE", async () => {
  const tokenizer = await tokenizerOf(SPECS.llama);
  expect(byText(await encode(SPECS.llama))).toEqual(byText(golden.llama.ids));
  // The library takes a byte-order mark made of byte tokens for one that opens a text.
  expect(golden.llama.ids.map((ids: number[]) => tokenizer.decode(ids))).toEqual(golden.llama.texts.map((text: string) => text.replaceAll("\ufeff", "")));
});

test("ids and texts of PyPI sentencepiece: unigram, with its map of characters", async () => {
  const spec = { ...SPECS.t5, more: { ...SPECS.t5.more, precompiled_charsmap: list("u8", [0, 0, 0, 0]) } };
  const tokenizer = await tokenizerOf(spec);
  // nmt_nfkc keeps the joiner of emoji; the library's makes it a space.
  const same = ([text]: unknown[]) => !(text as string).includes("\u200d");
  expect(byText(await encode(spec)).filter(same)).toEqual(byText(golden.t5.ids).filter(same));
  expect(tokenizer.warnings).toEqual([expect.stringContaining("nmt_nfkc")]);
});

test("no pattern takes exponential time", () => {
  for (const { patterns } of CUTS.values()) for (const pattern of patterns) expect(explodes(pattern)).toBe(false);
});

const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const FRONT = ["<unk>", "<s>", "</s>", ...BYTES];

/** A vocabulary for SentencePiece BPE: the characters and tokens made of one another, no two of one score. */
function pieces(tokens: readonly string[], scoreOf: (at: number) => number): VocabSpec & { readonly scores: readonly number[] } {
  return {
    model: "llama",
    tokens: [...FRONT, ...tokens],
    scores: [...FRONT.map(() => 0), ...tokens.map((_, at) => scoreOf(at))],
    types: [2, 3, 3, ...BYTES.map(() => 6), ...tokens.map(() => 1)],
  };
}

function randomPieces(random: Random, alphabet: string, trained: boolean): VocabSpec & { readonly scores: readonly number[] } {
  const characters = [...alphabet];
  const joined = new Set<string>();
  for (let i = 3 + random.below(25); i > 0; i--) {
    const parts = [...characters, ...joined];
    const token = parts[random.below(parts.length)] + parts[random.below(parts.length)];
    if ([...token].length <= 10) joined.add(token);
  }
  const scores = trained ? [...joined].map((_, at) => -at) : [...joined].map((_, at) => -random.below(1 << 16) - at / 64);
  return pieces([...joined, ...characters], (at) => scores[at] ?? -1e6 - at);
}

describe("merges ranked by score join what SentencePiece joins", () => {
  test.each([
    ["two letters, scores as trained", "ab", true],
    ["two letters, any scores", "ab", false],
    ["spaces and wide characters, scores as trained", "ab▁é😀", true],
    ["spaces and wide characters, any scores", "ab▁é😀", false],
  ])(
    "%s",
    async (_, alphabet, trained) => {
      const random = createRandom(alphabet.length + (trained ? 100 : 0));
      const letters = [..."?", ...alphabet.replace("▁", " "), ...alphabet.replace("▁", " ")];
      for (let i = 0; i < 50; i++) {
        const spec = randomPieces(random, alphabet, trained);
        const tokenizer = await tokenizerOf(spec);
        for (let j = 0; j < 30; j++) {
          const text = Array.from({ length: random.below(30) }, () => letters[random.below(letters.length)]).join("");
          expect([text, ...tokenizer.encode(text)]).toEqual([text, ...sentencePieceIds(text, spec.tokens, spec.scores)]);
        }
      }
    },
    60_000,
  );

  test("tokens of equal score are told of", async () => {
    expect((await tokenizerOf(pieces(["ab", "bc", "a", "b", "c"], () => -1))).warnings).toEqual([expect.stringContaining("1 tokens have the score of another")]);
    expect((await tokenizerOf(pieces(["ab", "bc", "a", "b", "c"], (at) => -at))).warnings).toEqual([]);
  });
});

const SMALL = pieces(["▁hi", "▁h", "hi", "▁", "h", "i"], (at) => -at);
const described = async (spec: VocabSpec) => tokenizerFromGguf(await metadataOf(vocabFile(spec)));
/** The small vocabulary with more tokens behind, each with its type. */
const extended = (tokens: readonly string[], types: readonly number[], more: VocabSpec["more"] = {}): VocabSpec => ({
  ...SMALL,
  tokens: [...SMALL.tokens, ...tokens],
  types: [...(SMALL.types as number[]), ...types],
  scores: [...SMALL.scores, ...tokens.map((_, i) => -2000 - i)],
  more,
});
const first = SMALL.tokens.length;

describe("what the file says beside its tokens", () => {
  test("nothing: what llama.cpp takes for granted", async () => {
    expect((await described(SMALL)).config).toEqual({
      bos_token: "<s>",
      eos_token: "</s>",
      unk_token: "<unk>",
      add_bos_token: true,
      add_eos_token: false,
      add_prefix_space: true,
      clean_up_tokenization_spaces: false,
      eog_token_ids: [2],
    });
    const bytes = { model: "gpt2", pre: "gpt-2", ...golden.gpt2 };
    expect((await described(bytes)).config).toMatchObject({ add_bos_token: false, add_eos_token: false, eog_token_ids: [1] });
    expect((await described({ ...bytes, pre: "llama-bpe" })).config).toMatchObject({ add_bos_token: true });
    expect((await described(SPECS.t5)).config).toMatchObject({ eos_token: "</s>", unk_token: "<unk>", add_bos_token: false, add_eos_token: true });
  });

  test("ids with a role, flags, the template", async () => {
    const more = {
      "bos_token_id": field("u32", first),
      "eos_token_id": field("i32", first + 1),
      "eot_token_id": field("u32", first + 2),
      "padding_token_id": field("u32", 2 ** 32 - 1),
      "add_bos_token": field("bool", false),
      "add_eos_token": field("bool", true),
      "tokenizer.chat_template": field("string", "{{ messages }}"),
    };
    const { config } = await described(extended(["<b>", "<e>", "<t>"], [3, 3, 3], more));
    expect(config).toMatchObject({ bos_token: "<b>", eos_token: "<e>", add_bos_token: false, add_eos_token: true, chat_template: "{{ messages }}" });
    expect(config).toMatchObject({ eog_token_ids: [2, first + 1, first + 2] });
    expect(config).not.toHaveProperty("pad_token");
  });

  test("a space goes before a text and behind special tokens, or not", async () => {
    const spelled = async (spec: VocabSpec, text: string) => [...(await tokenizerOf(spec)).encode(text)].map((id) => spec.tokens[id]);
    expect(await spelled(SMALL, "hi<s>hi")).toEqual(["▁hi", "<s>", "▁hi"]);
    expect(await spelled({ ...SMALL, more: { add_space_prefix: field("bool", false) } }, "hi<s>hi")).toEqual(["hi", "<s>", "hi"]);
    const tokenizer = await tokenizerOf({ ...SMALL, more: { add_space_prefix: field("bool", false) } });
    expect(tokenizer.decode(tokenizer.encode(" hi"))).toBe(" hi");
  });

  test("control and unknown tokens give no text, user-defined ones do; all are found in texts", async () => {
    const tokenizer = await tokenizerOf(extended(["<tool>", "   ", "<|im_end|>"], [3, 4, 1]));
    const ids = tokenizer.encode("hi   hi<tool>hi<|im_end|><unk>");
    expect([...ids].filter((id) => id >= first || id === 0)).toEqual([first + 1, first, first + 2, 0]);
    expect([first, first + 1, first + 2, 0].map((id) => tokenizer.isSpecial(id))).toEqual([true, false, true, true]);
    expect(tokenizer.decode([first + 1, first])).toContain("  ");
  });

  test("Phi 3 drops white space behind its tokens", async () => {
    const ids = async (name: string) => [...(await tokenizerOf(extended(["<|user|>"], [3], { "general.name": field("string", name) }))).encode("<|user|>\nhi")];
    expect((await ids("Phi 3 Mini")).length).toBeGreaterThan(2);
    expect(await ids("Phi-3-mini")).toEqual([first, 259]);
  });

  test("of tokens spelled alike the last one counts; an empty token is never met", async () => {
    const spec = extended(["hi", "", "hi"], [1, 1, 1], { add_space_prefix: field("bool", false) });
    const tokenizer = await tokenizerOf(spec);
    expect([...tokenizer.encode("hi")]).toEqual([first + 2]);
    expect(tokenizer.warnings).toEqual([expect.stringContaining("2 tokens are spelled like a later one")]);
    expect([tokenizer.idOf(`[EMPTY_${first + 1}]`), tokenizer.idOf("")]).toEqual([first + 1, undefined]);
    expect(tokenizer.decode([261, first + 2])).toBe("hi");
  });

  test("a file that does not say how to cut words is cut by default, and told of", async () => {
    const tokenizer = await tokenizerOf({ model: "gpt2", ...golden.gpt2 });
    expect(tokenizer.warnings).toEqual([expect.stringContaining("tokenizer.ggml.pre is absent")]);
    expect([...tokenizer.encode(TEXTS[0])]).toEqual((await encode(specOf("default")))[0]);
  });

  test("what is not supported is named, with what is", async () => {
    await expect(described({ model: "rwkv", tokens: ["a"] })).rejects.toThrow(/"rwkv".*supported are gpt2, llama, t5/);
    await expect(described({ model: "gpt2", pre: "kimi-k2", tokens: ["a"], merges: [] })).rejects.toThrow(/"kimi-k2".*known are default, gpt-2,.*qwen2/);
  });
});
