// The front of a GGUF file, version 2 or 3: "GGUF", u32 version, u64 tensors, u64 keys; the keys with their values; the directory of tensors;
// zeros up to the alignment; then the data. Everything is checked here, so that later code may trust every number: docs/format.md has the rules.
import { SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import { LIMITS } from "../../limits.ts";
import { add, mul, roundup } from "../../num/int.ts";
import type { StoredTensor } from "../store.ts";
import { Cursor } from "./cursor.ts";
import { GgufMetadata } from "./metadata.ts";
import { TENSOR_TYPES } from "./types.ts";
import { type GgufEntry, readEntry, readText } from "./values.ts";

const MAGIC = 0x46554747;
const ALIGNMENT = "general.alignment";
const DEFAULT_ALIGNMENT = 32;

export interface GgufTensor extends StoredTensor {
  /** Number of the type in the file. */
  readonly type: number;
  /** First byte in the data section, a multiple of the alignment. */
  readonly begin: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: GgufMetadata;
  readonly alignment: number;
  readonly tensors: Map<string, GgufTensor>;
  /** Offset of the data section in the file. */
  readonly dataOffset: number;
}

/** Reads and checks the front of a file; reads nothing of the data section but what comes with the last chunk. */
export async function readHeader(source: Source): Promise<GgufHeader> {
  const cursor = new Cursor(source);
  const version = await readVersion(cursor);
  await cursor.need(16);
  const tensorCount = cursor.size("the number of tensors", LIMITS.tensors);
  const keyCount = cursor.size("the number of keys", LIMITS.metadataEntries);
  const entries = await readEntries(cursor, keyCount);
  const alignment = alignmentOf(cursor, entries.get(ALIGNMENT));
  const tensors = await readDirectory(cursor, tensorCount);
  const dataOffset = roundup(cursor.offset, alignment);
  checkCover(tensors, source, dataOffset, alignment);
  return { version, metadata: new GgufMetadata(source.name, entries), alignment, tensors, dataOffset };
}

async function readVersion(cursor: Cursor): Promise<number> {
  await cursor.need(4);
  if (cursor.u32() !== MAGIC) cursor.fail('the file does not begin with "GGUF"; is it another kind of file?');
  await cursor.need(4);
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const { what } = cursor;
  const big = (version & 0xffff) === 0 && version !== 0;
  const message = big
    ? `${what} is big-endian, or of version ${version}; Skint reads little-endian GGUF: convert it with gguf_convert_endian.py of llama.cpp`
    : `${what} is GGUF of version ${version}, Skint reads 2 and 3; convert the model again with a current llama.cpp`;
  throw new SkintError("format.version", message, { what, offset: 4 });
}

async function readEntries(cursor: Cursor, count: number): Promise<Map<string, GgufEntry>> {
  const entries = new Map<string, GgufEntry>();
  const allowance = { arrays: LIMITS.ggufArrays };
  for (let i = 0; i < count; i++) {
    const key = await readText(cursor, `key ${i}`, LIMITS.ggufKeyBytes, true);
    if (entries.has(key)) cursor.fail("this key stands twice", "format.duplicate", key);
    entries.set(key, await readEntry(cursor, key, allowance));
  }
  return entries;
}

function alignmentOf(cursor: Cursor, entry: GgufEntry | undefined): number {
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const { type, value } = entry;
  if (type !== "u32" || typeof value !== "number") cursor.fail(`the alignment is of type ${type}, it must be u32`, "format.header", ALIGNMENT);
  if (value > LIMITS.ggufAlignment) cursor.fail(`the alignment is ${value}, the limit is ${LIMITS.ggufAlignment}`, "format.limit", ALIGNMENT);
  if (value === 0 || (value & (value - 1)) !== 0) cursor.fail(`the alignment is ${value}, it must be a power of two`, "format.header", ALIGNMENT);
  return value;
}

async function readDirectory(cursor: Cursor, count: number): Promise<Map<string, GgufTensor>> {
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < count; i++) {
    const tensor = await readTensor(cursor, i);
    if (tensors.has(tensor.name)) cursor.fail("this tensor stands twice", "format.duplicate", tensor.name);
    tensors.set(tensor.name, tensor);
  }
  return tensors;
}

async function readTensor(cursor: Cursor, index: number): Promise<GgufTensor> {
  const name = await readText(cursor, `the name of tensor ${index}`, LIMITS.nameLength, true);
  await cursor.need(4);
  const rank = cursor.u32();
  if (rank > LIMITS.ggufRank) cursor.fail(`${rank} dimensions, the limit is ${LIMITS.ggufRank}`, "format.limit", name);
  await cursor.need(rank * 8 + 12);
  // The file counts from the innermost dimension, we from the outermost.
  const shape: number[] = new Array(rank);
  for (let d = rank - 1; d >= 0; d--) shape[d] = cursor.size("a dimension", undefined, name);
  const id = cursor.u32();
  const type = TENSOR_TYPES.get(id);
  if (type === undefined) cursor.fail(`${id} is no type of a tensor, or one that was removed`, "format.dtype", name);
  const begin = cursor.size("the offset", undefined, name);
  const inner = shape[rank - 1] ?? 1;
  if (inner % type.elements !== 0) cursor.fail(`rows of ${inner} are no whole blocks of ${type.elements}, which ${type.name} needs`, "format.shape", name);
  const outer = shape.slice(0, -1).reverse();
  mul(name, inner, ...outer);
  const bytes = mul(name, inner / type.elements, type.bytes, ...outer);
  return { name, dtype: type.name, shape, bytes, type: id, begin };
}

/** Ordered by their offsets, each tensor begins where the one before it ends, rounded up to the alignment; the file ends with the last one's padding. */
function checkCover(tensors: Map<string, GgufTensor>, source: Source, dataOffset: number, alignment: number): void {
  const what = source.name;
  const dataBytes = Math.max(0, source.size - dataOffset);
  const wrong = (code: "format.header" | "format.truncated" | "format.overlap", name: string, how: string, offset: number) => {
    const next = code === "format.truncated" ? "fetch the file again" : "the file is damaged or hostile: fetch or write it again";
    return new SkintError(code, `${what}: tensor ${name} ${how}; ${next}`, { what: name, offset });
  };
  let at = 0;
  for (const { name, begin, bytes } of [...tensors.values()].sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)) {
    const offset = add(name, dataOffset, begin);
    if (begin % alignment !== 0) throw wrong("format.header", name, `begins at ${begin}, which is no multiple of the alignment ${alignment}`, offset);
    const end = add(name, begin, bytes);
    if (end > dataBytes) throw wrong("format.truncated", name, `ends at byte ${end} of a data section of ${dataBytes}`, offset);
    if (begin < at) throw wrong("format.overlap", name, "overlaps the one before it", offset);
    if (begin > at) throw wrong("format.overlap", name, `leaves a hole of ${begin - at} bytes before it`, offset);
    at = roundup(end, alignment);
  }
  if (dataBytes > at)
    throw new SkintError("format.overlap", `${what}: ${dataBytes - at} bytes at the end belong to no tensor; the file is damaged or hostile: fetch or write it again`, {
      what,
      offset: dataOffset + at,
    });
}
