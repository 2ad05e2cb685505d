// Runs every attack: each must end as its row says, in a value or a SkintError, in bounded time and memory.
// A file is read as a user's command reads it: opened, every document and every tensor taken in, the digest compared.
import { SkintError } from "../../runtime/errors.ts";
import { BLOCKS } from "../../runtime/formats/gguf/blocks/index.ts";
import type { GgufValue } from "../../runtime/formats/gguf/lists.ts";
import { openGguf } from "../../runtime/formats/gguf/open.ts";
import { openWeights, readConfig, readTokenizer } from "../../runtime/formats/safetensors/folder.ts";
import { openSafetensors } from "../../runtime/formats/safetensors/reader.ts";
import { DOCUMENTS } from "../../runtime/formats/skint/layout.ts";
import { readInto } from "../../runtime/formats/skint/load.ts";
import { openPack } from "../../runtime/formats/skint/reader.ts";
import type { TensorStore } from "../../runtime/formats/store.ts";
import { memorySource, type Source } from "../../runtime/io/source.ts";
import { loadModel } from "../../runtime/session/model.ts";
import { sha256 } from "../../targets/hosts/node/hash.ts";
import { compressModel } from "../../tools/compress/compress.ts";
import { checkpointOf } from "../../tools/compress/gguf.ts";
import { recipeNamed } from "../../tools/compress/recipe.ts";
import { memoryFolder, memorySink } from "../support/memory.ts";
import { environment } from "../support/tiny.ts";
import { type Attack, type Attacks, isFolder, isSource, type Made, sizeOf, sourceOf } from "./attack.ts";
import { COLUMNS } from "./columns.ts";
import { FOLDERS } from "./folder.ts";
import { GGUF_ALIGNMENT, GGUF_FILE, GGUF_HEADER, GGUF_KEYS, GGUF_VALUES } from "./gguf.ts";
import { GGUF_MODELS } from "./gguf-model.ts";
import { GGUF_DATA, GGUF_DIRECTORY, GGUF_PARTS, GGUF_WEIGHTS } from "./gguf-tensors.ts";
import { type Meter, metered, meteredFolder, meteredSource } from "./meter.ts";
import { FILE, HEADER, NAMES, OFFSETS, SHAPES } from "./safetensors.ts";
import { CONTAINER, PACK, TENSORS } from "./skint.ts";
import { SPARSE } from "./sparse.ts";
import { runTemplateAttack, TEMPLATE_ATTACKS } from "./template.ts";
import { GGUF_TEXTS, GGUF_VOCABULARY, readGgufTokenizer } from "./tokenizer.ts";

export interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  /** Why not, or how it ended. */
  readonly reason: string;
}

interface Suite {
  readonly name: string;
  readonly attacks: Attacks;
  readonly read: (made: Made, meter: Meter) => Promise<void>;
  /** Processor time for each MB, ms; default MS_PER_MB. */
  readonly msPerMB?: number;
  /** What is made ready before a file's cost is measured. */
  readonly prepare?: () => Promise<unknown>;
}

/** Buffers asked for beyond twice the file, bytes. */
const SLACK_BYTES = 16 * 2 ** 20;
/** Processor time for a file, ms, and for each of its MB. */
const BASE_MS = 1500;
const MS_PER_MB = 50;
/** Bytes of a tensor that are read at a time, and of a sparse one in all. */
const PIECE = 2 ** 20;

export const SUITES: readonly Suite[] = [
  { name: "safetensors header", attacks: HEADER, read: readFile },
  { name: "safetensors names", attacks: NAMES, read: readFile },
  { name: "safetensors shapes", attacks: SHAPES, read: readFile },
  { name: "safetensors offsets", attacks: OFFSETS, read: readFile },
  { name: "safetensors folder", attacks: FOLDERS, read: readFolder },
  { name: "skint container", attacks: CONTAINER, read: readPack },
  { name: "skint tensors", attacks: TENSORS, read: readPack },
  { name: "skint columns", attacks: COLUMNS, read: readModel, prepare: device },
  { name: "skint 2:4 weights", attacks: SPARSE, read: runModel, prepare: device },
  { name: "gguf header", attacks: GGUF_HEADER, read: readGguf },
  { name: "gguf keys", attacks: GGUF_KEYS, read: readGguf },
  { name: "gguf values", attacks: GGUF_VALUES, read: readGguf },
  { name: "gguf alignment", attacks: GGUF_ALIGNMENT, read: readGguf },
  { name: "gguf directory", attacks: GGUF_DIRECTORY, read: readGguf },
  { name: "gguf data", attacks: GGUF_DATA, read: readGguf },
  { name: "gguf weights", attacks: GGUF_WEIGHTS, read: readGgufWeights },
  { name: "gguf parts", attacks: GGUF_PARTS, read: readGguf },
  { name: "gguf models", attacks: GGUF_MODELS, read: readGgufModel, prepare: device },
  { name: "gguf vocabulary", attacks: GGUF_VOCABULARY, read: readGgufTokenizer, msPerMB: 2000 },
  { name: "gguf texts", attacks: GGUF_TEXTS, read: readGgufTokenizer, msPerMB: 4000 },
];

/** All attacks, one after the other. */
export async function runAttacks(): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const suite of SUITES) for (const name of Object.keys(suite.attacks)) verdicts.push(await runAttack(suite, name));
  for (const name of Object.keys(TEMPLATE_ATTACKS)) verdicts.push(await runTemplateAttack(name));
  return verdicts;
}

export async function runAttack(suite: Suite, name: string): Promise<Verdict> {
  const attack = suite.attacks[name];
  const made = await attack.make();
  const size = sizeOf(made);
  await suite.prepare?.();
  const meter: Meter = { allocated: 0, read: 0 };
  const started = process.cpuUsage();
  let failure: unknown;
  await metered(meter, () => suite.read(made, meter)).catch((error: unknown) => {
    failure = error ?? new Error("nothing was thrown");
  });
  const used = process.cpuUsage(started);
  const ms = (used.user + used.system) / 1000;
  const faults = [wrongEnd(attack, failure), wrongCost(size, meter, ms, suite.msPerMB), polluted()].filter((fault) => fault !== undefined);
  return { name: `${suite.name}: ${name}`, ok: faults.length === 0, reason: faults.join("; ") || (failure === undefined ? "accepted" : (failure as SkintError).code) };
}

function wrongEnd({ expect, what }: Attack, failure: unknown): string | undefined {
  if (failure === undefined) return expect === "accept" ? undefined : `was accepted, ${expect} was expected`;
  if (!(failure instanceof SkintError)) return `ended in ${String(failure)}, which is no SkintError`;
  if (failure.code !== expect) return `ended in ${failure.code} (${failure.message}), ${expect} was expected`;
  if (what !== undefined && failure.place.what !== what) return `blamed ${JSON.stringify(failure.place.what)}, ${JSON.stringify(what)} was expected`;
  if (failure.message.length > 2000) return `the message has ${failure.message.length} characters`;
  return undefined;
}

function wrongCost(size: number, { allocated, read }: Meter, ms: number, msPerMB = MS_PER_MB): string | undefined {
  if (allocated > 2 * size + SLACK_BYTES) return `asked for ${allocated} bytes of buffers to read ${size}`;
  if (read > 3 * size + SLACK_BYTES) return `read ${read} bytes of a file of ${size}`;
  return ms > BASE_MS + (msPerMB * size) / 1e6 ? `took ${ms.toFixed(0)} ms for ${size} bytes` : undefined;
}

function polluted(): string | undefined {
  const keys = Object.keys(Object.prototype);
  return keys.length === 0 && Object.getPrototypeOf({}) === Object.prototype ? undefined : `Object.prototype got ${keys}`;
}

async function readFile(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  await consume(await openSafetensors(meteredSource(sourceOf(made, FILE), meter)), isSource(made) ? PIECE : Number.POSITIVE_INFINITY);
}

async function readFolder(made: Made, meter: Meter): Promise<void> {
  if (!isFolder(made)) throw new Error("a folder was expected");
  const folder = meteredFolder(memoryFolder(made), meter);
  await readConfig(folder);
  await readTokenizer(folder);
  await consume(await openWeights(folder), Number.POSITIVE_INFINITY);
}

/** Reads every tensor through one small buffer, at most `most` bytes of each. */
async function consume(store: TensorStore, most: number): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  for (const { name, bytes } of store.tensors.values())
    for (let at = 0; at < Math.min(bytes, most); at += PIECE) await store.readBytes(name, at, buffer.subarray(0, Math.min(PIECE, bytes - at)));
  await store.close();
}

/** Every value of the metadata, then every tensor, as it lies there and, where its type allows, as f32. Of a folder the first file is opened. */
async function readGguf(made: Made, meter: Meter): Promise<void> {
  const place = isFolder(made) ? { folder: meteredFolder(memoryFolder(made), meter), file: made.keys().next().value as string } : meteredSource(sourceOf(made, GGUF_FILE), meter);
  const file = await openGguf(place);
  for (const key of file.metadata.keys()) walk(file.metadata.get(key)?.value as GgufValue);
  const sparse = !isFolder(made) && isSource(made);
  for (const { name, dtype, shape, bytes } of file.tensors.values())
    if (!sparse && bytes > 0 && BLOCKS.has(dtype)) {
      const rows = shape[0] ?? 1;
      await file.readF32(name, 0, rows, new Float32Array(shape.reduce((product, d) => product * d, 1)));
    }
  await consume(file, sparse ? PIECE : Number.POSITIVE_INFINITY);
}

function walk(value: GgufValue): void {
  if (typeof value === "object") for (let i = 0; i < value.length; i++) walk(value.at(i));
}

/** Every tensor as f32, whether its type allows it or not. */
async function readGgufWeights(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  const file = await openGguf(meteredSource(sourceOf(made, GGUF_FILE), meter));
  for (const { name, shape } of file.tensors.values()) await file.readF32(name, 0, shape[0] ?? 1, new Float32Array(shape.reduce((product, d) => product * d, 1)));
}

/** A pack, loaded. */
async function readModel(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  (await loadModel(meteredSource(sourceOf(made, PACK), meter), await device())).close();
}

/** Loads a model and feeds it two tokens; its logits must be numbers. */
async function runModel(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  const model = await loadModel(meteredSource(sourceOf(made, PACK), meter), await device());
  try {
    const logits = await model.session().feed(Uint32Array.of(3, 7));
    if (!logits.every(Number.isFinite)) throw new Error("a logit is not finite");
  } finally {
    model.close();
  }
}

let opened: ReturnType<typeof environment> | undefined;

/** One device for all models. */
function device(): ReturnType<typeof environment> {
  opened ??= environment();
  return opened;
}

/** The file as a checkpoint, packed as it is, loaded, one token fed. */
async function readGgufModel(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  const env = await device();
  const checkpoint = await checkpointOf(await openGguf(meteredSource(sourceOf(made, GGUF_FILE), meter)), GGUF_FILE);
  const sink = memorySink();
  try {
    await compressModel(checkpoint, sink, env, { recipe: recipeNamed("source"), golden: "never" });
  } finally {
    await checkpoint.store.close();
  }
  const model = await loadModel(memorySource(sink.bytes() as Uint8Array, PACK), env);
  try {
    await model.session().feed(model.tokenizer?.encode("ab") as Uint32Array);
  } finally {
    model.close();
  }
}

async function readPack(made: Made, meter: Meter): Promise<void> {
  if (isFolder(made)) throw new Error("a single file was expected");
  const source: Source = meteredSource(sourceOf(made, PACK), meter);
  const pack = await openPack(source);
  for (const name of DOCUMENTS) await pack.document(name);
  const weights = new Uint8Array([...pack.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0));
  const placements = new Map<string, Uint8Array>();
  let at = 0;
  for (const { name, bytes } of pack.tensors.values()) {
    placements.set(name, weights.subarray(at, at + bytes));
    at += bytes;
  }
  await readInto(pack, placements, { hasher: sha256() });
  await pack.close();
}
