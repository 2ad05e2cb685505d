// A model folder as the Hugging Face hub lays it out: model.safetensors, or model.safetensors.index.json beside its shards; config.json; tokenizer.json.
import { SkintError } from "../../errors.ts";
import type { Folder } from "../../io/source.ts";
import { decodeUtf8 } from "../../io/utf8.ts";
import { LIMITS } from "../../limits.ts";
import { add } from "../../num/int.ts";
import type { StoredTensor, TensorStore } from "../store.ts";
import { checkJson, type Json, JsonScanner } from "./json.ts";
import { openSafetensors } from "./reader.ts";

const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Opens the weights of a folder; a single file is preferred to an index. */
export async function openWeights(folder: Folder): Promise<TensorStore> {
  const files = await folder.list();
  if (files.includes(SINGLE)) return openFile(folder, SINGLE);
  if (files.includes(INDEX)) return openShards(folder);
  throw new SkintError("file.missing", `${folder.name} holds neither ${SINGLE} nor ${INDEX}; fetch one of them into the folder`, { what: SINGLE });
}

/** config.json as checked text. Parse it with `parseJson(text, name, { nonFinite: true })`: Python writes Infinity, which JSON.parse refuses. */
export function readConfig(folder: Folder): Promise<string> {
  return readJson(folder, "config.json", LIMITS.configBytes);
}

/** tokenizer.json as checked text. */
export function readTokenizer(folder: Folder): Promise<string> {
  return readJson(folder, "tokenizer.json", LIMITS.tokenizerBytes);
}

/** A small file beside the model (card.json, tokenizer_config.json, chat_template.jinja), as text; undefined if it is not there. */
export async function readBeside(folder: Folder, file: string): Promise<string | undefined> {
  if (!(await folder.list()).includes(file)) return undefined;
  return file.endsWith(".json") ? readJson(folder, file, LIMITS.configBytes) : readText(folder, file, LIMITS.configBytes);
}

async function readJson(folder: Folder, file: string, limit: number): Promise<string> {
  const text = await readText(folder, file, limit);
  checkJson(text, file, { nonFinite: true });
  return text;
}

async function readText(folder: Folder, file: string, limit: number): Promise<string> {
  if (!(await folder.list()).includes(file)) throw new SkintError("file.missing", `${folder.name} holds no ${file}; fetch it from where the model came from`, { what: file });
  const source = await folder.open(file);
  try {
    if (source.size > limit) throw new SkintError("format.limit", `${file} has ${source.size} bytes, the limit is ${limit}; this is not a model's ${file}`, { what: file });
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return decodeUtf8(bytes, file);
  } finally {
    await source.close();
  }
}

async function openFile(folder: Folder, file: string): Promise<TensorStore> {
  const source = await folder.open(file);
  try {
    return await openSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

interface Index {
  /** Tensor → shard. */
  readonly files: Map<string, string>;
  readonly totalSize: Json | undefined;
}

function parseIndex(text: string): Index {
  const files = new Map<string, string>();
  let totalSize: Json | undefined;
  const json = new JsonScanner(text, INDEX);
  json.object((key) => {
    if (key === "weight_map") json.object((tensor) => files.set(tensor, shardName(json)), LIMITS.modelTensors);
    else if (key === "metadata") {
      json.object((entry) => {
        if (entry === "total_size") totalSize = json.value();
        else json.skip();
      });
    } else json.skip();
  });
  json.end();
  if (files.size === 0) json.fail("weight_map is missing or empty");
  return { files, totalSize };
}

/** Shards stand beside their index: a name with a separator, a drive or dots for a parent is refused. */
function shardName(json: JsonScanner): string {
  const file = json.string(LIMITS.nameLength);
  if (!/^[^\\/:\0]+\.safetensors$/.test(file)) json.fail("a shard must be a plain .safetensors file beside its index", "format.path", file);
  return file;
}

async function openShards(folder: Folder): Promise<TensorStore> {
  const index = parseIndex(await readText(folder, INDEX, LIMITS.indexBytes));
  const names = [...new Set(index.files.values())];
  if (names.length > LIMITS.shards)
    throw new SkintError("format.limit", `${INDEX} names ${names.length} shards, the limit is ${LIMITS.shards}; merge them into larger ones`, { what: INDEX });
  const present = new Set(await folder.list());
  for (const name of names)
    if (!present.has(name)) throw new SkintError("file.missing", `${folder.name} holds no ${name}, which ${INDEX} names; fetch it into the folder`, { what: name });
  const shards = new Map<string, TensorStore>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of names) shards.set(name, await openFile(folder, name));
    return joinShards(folder.name, index, shards, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function joinShards(name: string, index: Index, shards: Map<string, TensorStore>, close: () => Promise<void>): TensorStore {
  const tensors = collect(index, shards);
  const shardOf = (tensor: string) => {
    const file = index.files.get(tensor);
    if (file === undefined) throw new SkintError("model.tensor", `${name} holds no tensor ${tensor}; list what it holds with skint inspect`, { what: tensor });
    return shards.get(file) as TensorStore;
  };
  return {
    name,
    tensors,
    readBytes: async (tensor, offset, into) => shardOf(tensor).readBytes(tensor, offset, into),
    readF32: async (tensor, row, rows, out) => shardOf(tensor).readF32(tensor, row, rows, out),
    close,
  };
}

/** All tensors of all shards; index and shards must name the same ones. */
function collect(index: Index, shards: Map<string, TensorStore>): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  let bytes = 0;
  for (const [file, shard] of shards) {
    for (const tensor of shard.tensors.values()) {
      const { name } = tensor;
      if (tensors.has(name)) throw new SkintError("format.duplicate", `tensor ${name} stands in two shards, one is ${file}; fetch the shards again`, { what: name });
      if (index.files.get(name) !== file) throw new SkintError("format.header", `${file} holds tensor ${name}, ${INDEX} does not say so; fetch both again`, { what: name });
      tensors.set(name, tensor);
      bytes = add(name, bytes, tensor.bytes);
    }
  }
  for (const [name, file] of index.files)
    if (!tensors.has(name)) throw new SkintError("format.header", `${INDEX} says tensor ${name} stands in ${file}, it does not; fetch both again`, { what: name });
  if (index.totalSize !== undefined && index.totalSize !== bytes)
    throw new SkintError(
      "format.header",
      `${INDEX} says the tensors take ${String(index.totalSize)} bytes, the shards hold ${bytes}; fetch them again, or remove total_size if the shards are right`,
      { what: INDEX },
    );
  return tensors;
}
