// A GGUF file as a checkpoint: its metadata as a config, its vocabulary as a tokenizer.
import { basename, dirname } from "node:path";
import { ARCHITECTURES } from "../../models/catalogue.gen.ts";
import type { GgufArchitecture, GgufFacts } from "../../models/gguf.ts";
import { SkintError } from "../../runtime/errors.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import type { GgufFile } from "../../runtime/formats/gguf/reader.ts";
import { tokenizerFromGguf } from "../../runtime/text/gguf/tokenizer.ts";
import { openFile, openFolder } from "../../targets/hosts/node/files.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Part of a split model: `name-00001-of-00003.gguf`. */
const PART = /-\d{5}-of-\d{5}\.gguf$/;

function architectureOf(file: GgufFile): { architecture: Checkpoint["architecture"]; gguf: GgufArchitecture } {
  const name = file.metadata.text("general.architecture");
  for (const architecture of Object.values(ARCHITECTURES)) if (architecture.gguf?.names.includes(name)) return { architecture, gguf: architecture.gguf };
  const known = Object.values(ARCHITECTURES).flatMap((a) => a.gguf?.names ?? []);
  throw new SkintError("model.architecture", `${file.name} holds a model of architecture ${name}, which Skint does not run yet; supported are ${known.join(", ")}`, { what: name });
}

async function factsOf(file: GgufFile): Promise<GgufFacts> {
  const embedding = file.tensors.get("token_embd.weight");
  if (!embedding) throw new SkintError("model.tensor", `${file.name} holds no tensor token_embd.weight; it is no language model, or incomplete`, { what: "token_embd.weight" });
  const factors = file.tensors.get("rope_freqs.weight");
  const ropeFactors = factors ? new Float32Array(factors.shape[0]) : undefined;
  if (ropeFactors) await file.readF32("rope_freqs.weight", 0, ropeFactors.length, ropeFactors);
  const has = (name: string) => file.tensors.has(name);
  const biases = { attention: has("blk.0.attn_q.bias"), ffn: has("blk.0.ffn_up.bias") };
  return { vocab: embedding.shape[0], tied: !has("output.weight"), biases, ...(ropeFactors ? { ropeFactors: [...ropeFactors] } : {}) };
}

/** As llama.cpp does, asks for as many tokens as the embedding has rows. */
function checkVocabulary({ name, metadata }: GgufFile, { vocab }: GgufFacts): void {
  const tokens = metadata.list("tokenizer.ggml.tokens", "text").length;
  const key = `${metadata.text("general.architecture")}.vocab_size`;
  const stated = metadata.whole(key, Number.MAX_SAFE_INTEGER, tokens);
  if (stated !== tokens) throw new SkintError("model.config", `${name}: ${key} is ${stated}, but there are ${tokens} tokens; convert the model again`, { what: key });
  if (vocab !== tokens)
    throw new SkintError("format.shape", `${name}: token_embd.weight has ${vocab} rows, but there are ${tokens} tokens; convert the model again`, { what: "token_embd.weight" });
}

/** As many layers as stated, told before a graph of that many is built. */
function checkLayers({ name, metadata, tensors }: GgufFile): void {
  const key = `${metadata.text("general.architecture")}.block_count`;
  const layers = metadata.whole(key, 512);
  const at = (layer: number) => `blk.${layer}.attn_norm.weight`;
  if (!tensors.has(at(layers - 1)))
    throw new SkintError("model.tensor", `${name} holds no tensor ${at(layers - 1)}, which the last of ${layers} layers needs; the file is incomplete`, { what: at(layers - 1) });
  if (tensors.has(at(layers))) throw new SkintError("model.config", `${name}: ${key} is ${layers}, but there is a tensor ${at(layers)}; convert the model again`, { what: key });
}

/** A model in GGUF as a checkpoint, which owns the file: it is closed on an error too. */
export async function checkpointOf(file: GgufFile, name: string): Promise<Checkpoint> {
  try {
    const { architecture, gguf } = architectureOf(file);
    const { metadata: meta } = file;
    const card = { name: meta.text("general.name", basename(name, ".gguf")), licence: meta.text("general.license", "unknown"), source: "GGUF" };
    const facts = await factsOf(file);
    const config = gguf.config(meta, facts);
    const tokenizer = JSON.stringify(tokenizerFromGguf(meta));
    checkLayers(file);
    checkVocabulary(file, facts);
    return { name, architecture, locate: gguf.locate, config, store: file, card, tokenizer };
  } catch (e) {
    await file.close();
    throw e;
  }
}

/** Opens a GGUF file, or the split model one of whose parts it is. `close` the store when done. */
export async function openGgufCheckpoint(path: string): Promise<Checkpoint> {
  const name = basename(path);
  if (PART.test(path)) return checkpointOf(await openGguf({ folder: await openFolder(dirname(path)), file: name }), name);
  const source = await openFile(path);
  try {
    return await checkpointOf(await openGguf(source), name);
  } catch (e) {
    await source.close();
    throw e;
  }
}
