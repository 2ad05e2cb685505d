// The header of a safetensors file: u64 length N, N bytes of JSON {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {text: text}},
// then the data. Everything is checked here, so that later code may trust every number: types, limits, shape × dtype = bytes, and that the
// tensors cover the data section without gap or overlap. Stricter than the reference reader: see docs/format.md.
import { SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import { decodeUtf8 } from "../../io/utf8.ts";
import { LIMITS } from "../../limits.ts";
import { mul } from "../../num/int.ts";
import type { StoredTensor } from "../store.ts";
import { JsonScanner } from "./json.ts";

/** Bits of one element, of every data type of the format. */
export const DTYPE_BITS = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  I16: 16,
  U16: 16,
  I32: 32,
  U32: 32,
  I64: 64,
  U64: 64,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
} as const;

export type Dtype = keyof typeof DTYPE_BITS;

export interface TensorEntry extends StoredTensor {
  readonly dtype: Dtype;
  /** First byte, and the byte behind the last, in the data section. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: Map<string, TensorEntry>;
  readonly metadata: Map<string, string>;
  /** Offset of the data section in the file. */
  readonly dataOffset: number;
  /** The header as it stands in the file, padding included. */
  readonly text: string;
}

/** Bytes of a tensor; throws `format.shape` when 4- and 6-bit elements do not fill whole bytes. */
export function tensorBytes(name: string, dtype: Dtype, shape: readonly number[]): number {
  const bits = mul(name, ...shape, DTYPE_BITS[dtype]);
  if (bits % 8 !== 0)
    throw new SkintError("format.shape", `tensor ${name}: shape [${shape}] of ${dtype} does not end at a whole byte; write it with a last dimension that does`, { what: name });
  return bits / 8;
}

/** Reads and checks the header of a file; reads nothing of the data section. */
export async function readHeader(source: Source): Promise<SafetensorsHeader> {
  const what = source.name;
  const truncated = (message: string) => new SkintError("format.truncated", `${what}: ${message}; fetch the file again`, { what, offset: source.size });
  if (source.size < 8) throw truncated(`${source.size} bytes are too few for a safetensors file`);
  const prefix = new Uint8Array(8);
  await source.read(0, prefix);
  const words = new DataView(prefix.buffer);
  const length = words.getUint32(4, true) * 2 ** 32 + words.getUint32(0, true);
  if (length > LIMITS.headerBytes)
    throw new SkintError(
      "format.limit",
      `${what}: the header claims ${length} bytes, the limit is ${LIMITS.headerBytes}; this is not a safetensors file, or one with too many tensors`,
      { what, offset: 0 },
    );
  if (8 + length > source.size) throw truncated(`the header claims ${length} bytes, the file has ${source.size}`);
  const bytes = new Uint8Array(length);
  await source.read(8, bytes);
  return parseHeader(decodeUtf8(bytes, what), 8 + length, source.size, what);
}

/** Checks header text. `dataOffset` and `size` of the file are in bytes. */
export function parseHeader(text: string, dataOffset: number, size: number, what: string): SafetensorsHeader {
  const json = new JsonScanner(text, what, { offset: 8 });
  if (!text.startsWith("{")) json.fail("the header must begin with a brace");
  const tensors = new Map<string, TensorEntry>();
  let metadata = new Map<string, string>();
  json.object((key) => {
    if (key === "__metadata__") metadata = parseMetadata(json);
    else tensors.set(key, parseEntry(json, key, size - dataOffset));
    if (tensors.size > LIMITS.tensors) json.fail(`more than ${LIMITS.tensors} tensors`, "format.limit");
  });
  json.endPadded();
  checkCover(tensors, size - dataOffset, what, dataOffset);
  return { tensors, metadata, dataOffset, text };
}

function parseMetadata(json: JsonScanner): Map<string, string> {
  const metadata = new Map<string, string>();
  json.object((key) => metadata.set(key, json.string(LIMITS.metadataLength)), LIMITS.metadataEntries);
  return metadata;
}

function parseEntry(json: JsonScanner, name: string, dataBytes: number): TensorEntry {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.object((key) => {
    if (key === "dtype") dtype = json.string(LIMITS.nameLength);
    else if (key === "shape") shape = integers(json, LIMITS.rank, "format.shape", name);
    else if (key === "data_offsets") offsets = integers(json, 2, "format.header", name);
    else json.fail("a tensor has a field that is none of dtype, shape, data_offsets", "format.header", name);
  });
  if (dtype === undefined || shape === undefined || offsets?.length !== 2) json.fail("a tensor needs dtype, shape and two data_offsets", "format.header", name);
  if (!Object.hasOwn(DTYPE_BITS, dtype)) json.fail(`data type ${JSON.stringify(dtype.slice(0, 40))} is none of the format's`, "format.dtype", name);
  const [begin, end] = offsets;
  const entry: TensorEntry = { name, dtype: dtype as Dtype, shape, bytes: end - begin, begin, end };
  checkEntry(json, entry, dataBytes);
  return entry;
}

function integers(json: JsonScanner, most: number, code: "format.shape" | "format.header", name: string): number[] {
  const items: number[] = [];
  json.array((index) => {
    if (index === most) json.fail(`more than ${most} numbers in a list`, "format.limit", name);
    items.push(json.integer(code, name));
  });
  // A copy, as a list grown by push keeps room for 17: that would be half of what a header of many tensors costs.
  return items.slice();
}

function checkEntry(json: JsonScanner, { name, dtype, shape, bytes, begin, end }: TensorEntry, dataBytes: number): void {
  if (begin > end) json.fail(`data_offsets [${begin}, ${end}] run backwards`, "format.header", name);
  const needed = tensorBytes(name, dtype, shape);
  if (bytes !== needed) json.fail(`shape [${shape}] of ${dtype} takes ${needed} bytes, data_offsets give ${bytes}`, "format.shape", name);
  if (end > dataBytes) json.fail(`the tensor ends at byte ${end} of a data section of ${dataBytes}`, "format.truncated", name);
}

function checkCover(tensors: Map<string, TensorEntry>, dataBytes: number, what: string, dataOffset: number): void {
  let at = 0;
  for (const t of [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (t.begin !== at) {
      const how = t.begin < at ? "overlaps the one before it" : `leaves a hole of ${t.begin - at} bytes before it`;
      throw new SkintError("format.overlap", `${what}: tensor ${t.name} ${how}; the file is damaged or hostile: fetch or write it again`, {
        what: t.name,
        offset: dataOffset + at,
      });
    }
    at = t.end;
  }
  if (at !== dataBytes)
    throw new SkintError("format.overlap", `${what}: ${dataBytes - at} bytes at the end belong to no tensor; the file is damaged or hostile: fetch or write it again`, {
      what,
      offset: dataOffset + at,
    });
}
