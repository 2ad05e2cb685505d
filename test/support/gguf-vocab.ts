// Vocabularies as GGUF files hold them.
import type { GgufMetadata } from "../../runtime/formats/gguf/metadata.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { memorySource } from "../../runtime/io/source.ts";
import { tokenizerFromGguf } from "../../runtime/text/gguf/tokenizer.ts";
import { createTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { buildGguf, field, type GgufField, list } from "./gguf.ts";

export interface VocabSpec {
  /** gpt2, llama, t5 */
  readonly model: string;
  readonly pre?: string;
  readonly tokens: readonly string[];
  readonly types?: readonly number[];
  readonly scores?: readonly number[];
  readonly merges?: readonly string[];
  /** Further keys of `tokenizer.ggml.`, or whole keys that hold a dot; they may replace those above. */
  readonly more?: Readonly<Record<string, GgufField>>;
}

export function vocabFields({ model, pre, tokens, types, scores, merges, more = {} }: VocabSpec): Record<string, GgufField> {
  const fields: Record<string, GgufField> = { model: field("string", model), tokens: list("string", tokens) };
  if (pre !== undefined) fields.pre = field("string", pre);
  if (types) fields.token_type = list("i32", types);
  if (scores) fields.scores = list("f32", scores);
  if (merges) fields.merges = list("string", merges);
  return Object.fromEntries(Object.entries({ ...fields, ...more }).map(([key, value]) => [key.includes(".") ? key : `tokenizer.ggml.${key}`, value]));
}

export const vocabFile = (spec: VocabSpec): Uint8Array => buildGguf({ metadata: { "general.architecture": field("string", "llama"), ...vocabFields(spec) } });

export async function metadataOf(bytes: Uint8Array): Promise<GgufMetadata> {
  return (await openGguf(memorySource(bytes, "model.gguf"))).metadata;
}

/** The tokenizer of a vocabulary, taken all the way: written to a file, read, described, checked, made. */
export async function tokenizerOf(spec: VocabSpec): Promise<Tokenizer & { readonly warnings: readonly string[] }> {
  const { tokenizer, config, warnings } = tokenizerFromGguf(await metadataOf(vocabFile(spec)));
  return { ...createTokenizer(JSON.stringify(tokenizer), JSON.stringify(config)), warnings };
}
