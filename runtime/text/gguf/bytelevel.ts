// `tokenizer.ggml.model` = gpt2: byte-level BPE with the merges of the file. No normaliser, as in llama.cpp, even where the model was published
// with one (NFC for Qwen).
import type { GgufMetadata } from "../../formats/gguf/metadata.ts";
import { CUTS, type Cut } from "./patterns.ts";
import { KEY, MAX_WORD, quote, split, unusable, type Vocabulary, vocabObject } from "./vocabulary.ts";

/** How the file cuts text into words; a file that does not say is cut by "default", as llama.cpp does. */
export function readCut(meta: GgufMetadata, warnings: string[]): Cut {
  const key = `${KEY}pre`;
  const name = meta.text(key, "");
  if (name === "") warnings.push(`${key} is absent: text is cut into words by "default", which is right for few models`);
  const cut = CUTS.get(name || "default");
  if (cut === undefined) throw unusable(key, `it cuts text into words by ${quote(name)}, which is not known here; known are ${[...CUTS.keys()].join(", ")}`);
  return cut;
}

/** The merges as pairs. Of merges that stand twice the first counts. */
function readMerges(meta: GgufMetadata, { ids }: Vocabulary): [string, string][] {
  const key = `${KEY}merges`;
  const lines = meta.list(key, "text");
  return [...new Set(lines)].map((line, at) => {
    const space = line.indexOf(" ", 1);
    const pair: [string, string] = [line.slice(0, space), line.slice(space + 1)];
    if (space < 0 || pair[1] === "") throw unusable(key, `merge ${at} is ${quote(line)}, two tokens with a space between were expected`);
    const missing = [...pair, pair.join("")].find((token) => !ids.has(token));
    if (missing !== undefined) throw unusable(key, `merge ${at} names ${quote(missing)}, which is no token`);
    return pair;
  });
}

export function byteLevelTokenizer(meta: GgufMetadata, vocabulary: Vocabulary, cut: Cut): object {
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...cut.patterns.map(split), split(`[\\s\\S]{1,${MAX_WORD}}`), bytes] },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", unk_token: null, ignore_merges: cut.whole === true, vocab: vocabObject(vocabulary), merges: readMerges(meta, vocabulary) },
  };
}
