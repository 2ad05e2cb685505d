// How byte-level BPE cuts a text into words, by the name in `tokenizer.ggml.pre`. The patterns are those the models were published with, in the
// form llama.cpp gives them (src/llama-vocab.cpp, llm_tokenizer_bpe). A list is applied in order: each pattern cuts every piece the ones before
// it left, and what lies between matches is a piece too. None repeats a repetition, so none takes exponential time.

export interface Cut {
  readonly patterns: readonly string[];
  /** A word that is a token is taken whole, merges or not. */
  readonly whole?: boolean;
  /** Texts open with the bos token unless the file says otherwise. */
  readonly bos?: boolean;
}

const ANY_CASE = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const SPACES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const MARKS = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]";

const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)";
/** GPT-4's pattern and its kin: they differ in how many digits make a word. */
const words = (digits: string, letters = "\\p{L}") =>
  `${ANY_CASE}|[^\\r\\n\\p{L}\\p{N}]?${letters}+|${digits}| ?[^\\s${letters === "\\p{L}" ? letters : "\\p{L}\\p{M}"}\\p{N}]+[\\r\\n]*|${SPACES}`;

// A word's capitals come first. Letters outside ASCII count as both cases, as in llama.cpp.
const UPPER = "(?:(?=\\p{L})[^a-z])";
const LOWER = "(?:(?=\\p{L})[^A-Z])";
const cased = (end: string, digits: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${end}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${end}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${SPACES}`;

const DEEPSEEK3 = `${MARKS}[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${SPACES}`;
// White space is in none of DeepSeek's classes, as in llama.cpp, though some of it lies in their ranges.
const CJK = "(?:(?!\\s)[一-龥\\u0800-一가-\\ud7ff])+";

/** Letters with case that DeepSeek LLM knows: ranges of code points. */
const DEEPSEEK_LETTERS =
  "41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386 388-38a 38c 38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 " +
  "10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b 1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d " +
  "1f5f-1f7d 1f80-1fb4 1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 2115 2119-211d 2124 2126 " +
  "2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183 2184 2c00-2c7b 2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b a722-a76f a771-a787 " +
  "a78b-a78e ab70-abbf fb00-fb06 fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df 1e900-1e943";
const letters = DEEPSEEK_LETTERS.replace(/[0-9a-f]+/g, "\\u{$&}").replaceAll(" ", "");

const LLAMA3: Cut = { patterns: [words("\\p{N}{1,3}")], whole: true, bos: true };
const QWEN2: Cut = { patterns: [words("\\p{N}")] };
const ONE_DIGIT: Cut = { patterns: ["\\p{N}", GPT2] };
const PLAIN: Cut = { patterns: [GPT2] };
const GPT4: Cut = { patterns: [words("\\p{N}{1,3}")] };
const GPT4O: Cut = { patterns: [cased(`${ANY_CASE}?`, "\\p{N}{1,3}")] };
const DEEPSEEK_V3: Cut = { patterns: ["\\p{N}{1,3}", "[一-龥\\u3040-ゟ゠-ヿ]+", DEEPSEEK3] };

const GROUPS: readonly (readonly [names: string, cut: Cut])[] = [
  ["default", { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"] }],
  ["gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat a.x-4.0 mellum modern-bert exaone4 jina-es jina-de jina-v2-es jina-v2-de", PLAIN],
  ["llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2", LLAMA3],
  ["dbrx smaug-bpe glm4 chatglm-bpe", GPT4],
  ["qwen2 deepseek-r1-qwen kormo megrez stablelm2 hunyuan solar-open grok-2", QWEN2],
  ["qwen35", { patterns: [words("\\p{N}", "[\\p{L}\\p{M}]")] }],
  ["smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", ONE_DIGIT],
  ["falcon", { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"] }],
  ["deepseek-llm", { patterns: ["[\\r\\n]", `\\s?[${letters}]+`, "\\s?[!-/:-~！-／：-～‘-‟\\u3001-。]+", "\\s+$", CJK, "\\p{N}+"] }],
  ["deepseek-coder", { patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK, "\\p{N}"] }],
  ["deepseek-v3 hunyuan-dense joyai-llm", DEEPSEEK_V3],
  ["tekken", { patterns: [cased("", "\\p{N}")], whole: true, bos: true }],
  ["gpt-4o llama4 kanana2 talkie minimax-m2", GPT4O],
];

/** Every known name and its patterns. */
export const CUTS: ReadonlyMap<string, Cut> = /* @__PURE__ */ new Map(GROUPS.flatMap(([names, cut]) => names.split(" ").map((name) => [name, cut] as const)));
