// Small tokenizers for tests, as tokenizer.json text: byte-level BPE (GPT-2 kind), BPE with byte fallback (Llama 1 and 2 kind), Unigram.

/** The byte-level alphabet of GPT-2, written down here a second time so that the one under test is checked. */
export function byteCharacters(): string[] {
  const direct = [...range(33, 126), ...range(161, 172), ...range(174, 255)];
  const rest = range(0, 255).filter((byte) => !direct.includes(byte));
  return range(0, 255).map((byte) => String.fromCharCode(direct.includes(byte) ? byte : 256 + rest.indexOf(byte)));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

const special = (id: number, content: string) => ({ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false });

/** 0 <|begin|>, 1 <|end|>, 2 … 257 the bytes in order, then the merges: "he", "hel", "lo", "hello", " w", "or", " wor". Ġ is the byte of a space. */
export function byteLevelDescription() {
  const merges = ["h e", "he l", "l o", "hel lo", "Ġ w", "o r", "Ġw or"];
  const tokens = ["<|begin|>", "<|end|>", ...byteCharacters(), ...merges.map((merge) => merge.replace(" ", ""))];
  return {
    version: "1.0",
    added_tokens: [special(0, "<|begin|>"), special(1, "<|end|>")] as unknown[],
    normalizer: null as unknown,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true } as unknown,
    post_processor: null as unknown,
    decoder: { type: "ByteLevel" } as unknown,
    model: { type: "BPE", unk_token: null, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])) as Record<string, unknown>, merges: merges as unknown[] } as Record<
      string,
      unknown
    >,
  };
}

export const byteLevelJson = () => JSON.stringify(byteLevelDescription());
export const byteLevelConfig = () => JSON.stringify({ bos_token: "<|begin|>", eos_token: { content: "<|end|>" }, clean_up_tokenization_spaces: true });

/** 0 <unk>, 1 <s>, 2 </s>, 3 … 258 <0x00> … <0xFF>, then characters and merges. Text opens with <s>; spaces are ▁. */
export function byteFallbackJson(): string {
  const bytes = range(0, 255).map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const letters = ["▁", ..."abcdefghijklmnopqrstuvwxyz"];
  const merges = ["▁ h", "▁h e", "l l", "ll o"];
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...letters, ...merges.map((merge) => merge.replace(" ", ""))];
  return JSON.stringify({
    added_tokens: [special(0, "<unk>"), special(1, "<s>"), special(2, "</s>")],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }], pair: [], special_tokens: {} },
    decoder: {
      type: "Sequence",
      decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }],
    },
    model: { type: "BPE", unk_token: "<unk>", fuse_unk: true, byte_fallback: true, vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  });
}

export function unigramJson(): string {
  const vocab = [["<unk>", 0], ["▁", -2], ["▁he", -3], ["llo", -3], ...[..."abcdefghijklmnopqrstuvwxyz"].map((letter) => [letter, -6])];
  return JSON.stringify({
    added_tokens: [],
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
    decoder: { type: "Metaspace", replacement: "▁" },
    model: { type: "Unigram", unk_id: 0, vocab },
  });
}
