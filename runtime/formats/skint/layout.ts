// Constants of the pack format `model.skint`, version 2, and the rules a safetensors header must keep to be one. See docs/format.md.
import { type ErrorCode, SkintError } from "../../errors.ts";
import { LIMITS } from "../../limits.ts";
import type { SafetensorsHeader, TensorEntry } from "../safetensors/header.ts";

export const VERSION = "2";
/** Multiple that the data section's start, and every tensor's length and offset, keep (bytes). */
export const ALIGN = 64;
/** The header begins with exactly these bytes; the digest, 64 lower-case hex digits, follows. */
export const DIGEST_PREFIX = '{"__metadata__":{"skint.sha256":"';
export const DIGEST_LENGTH = 64;
/** File offset of the digest. */
export const DIGEST_OFFSET = 8 + DIGEST_PREFIX.length;
/** Names with this prefix belong to the format. */
export const RESERVED = "skint.";

export const DOCUMENTS = ["graph", "card", "recipe", "tokenizer", "report", "golden", "cores"] as const;
export type DocumentName = (typeof DOCUMENTS)[number];
export const REQUIRED_DOCUMENTS: readonly DocumentName[] = ["graph", "card", "recipe"];

/** `__metadata__` besides the digest, each as `skint.<name>`. */
export const METADATA = ["format", "architecture", "recipe", "licence", "provenance"] as const;
export type MetadataName = (typeof METADATA)[number];

export interface PackTensor {
  readonly name: string;
  readonly dtype: "U8" | "F32";
  /** First byte, in the file; a multiple of 64. */
  readonly offset: number;
  /** Length with its padding; a multiple of 64. */
  readonly bytes: number;
  /** Lengths of the parts a tensor above 128 MiB is split into; they follow one another in the file. */
  readonly parts: readonly number[];
}

export interface PackDirectory {
  readonly metadata: ReadonlyMap<string, string>;
  readonly digest: string;
  readonly documents: ReadonlyMap<DocumentName, PackTensor>;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, PackTensor>;
}

/** The tensor of that name; throws `model.tensor`. */
export function tensorOf(directory: PackDirectory, name: string, file: string): PackTensor {
  const tensor = directory.tensors.get(name);
  if (tensor === undefined)
    throw new SkintError("model.tensor", `${file} holds no tensor ${name}, which the model needs; write the pack again with skint compress`, { what: name });
  return tensor;
}

function refuse(code: ErrorCode, file: string, message: string, what = file): never {
  throw new SkintError(code, `${file}: ${message}; write it again with skint compress`, { what });
}

/** Checks a pack's header beyond what safetensors asks for. */
export function checkPack(header: SafetensorsHeader, file: string): PackDirectory {
  checkVersion(header.metadata, file);
  checkDigestPlace(header.text, file);
  if (header.dataOffset % ALIGN !== 0) refuse("format.header", file, `the data section starts at byte ${header.dataOffset}, not at a multiple of ${ALIGN}`);
  if (header.text.length - header.text.trimEnd().length >= ALIGN) refuse("format.header", file, `the header is padded with ${ALIGN} or more spaces`);
  const documents = new Map<DocumentName, PackTensor>();
  const tensors = new Map<string, Joining>();
  for (const entry of [...header.tensors.values()].sort((a, b) => a.begin - b.begin)) {
    checkTensor(entry, file);
    const offset = header.dataOffset + entry.begin;
    if (entry.name.startsWith(RESERVED)) addDocument(documents, entry, offset, file);
    else addTensor(tensors, entry, offset, file);
  }
  for (const { name, split, parts } of tensors.values()) if (split && parts.length === 1) refuse("format.header", file, `tensor ${name} is split into a single part`, name);
  for (const name of REQUIRED_DOCUMENTS) if (!documents.has(name)) refuse("format.header", file, `the document ${RESERVED}${name} is missing`, RESERVED + name);
  return { metadata: header.metadata, digest: header.text.slice(DIGEST_PREFIX.length, DIGEST_PREFIX.length + DIGEST_LENGTH), documents, tensors };
}

function checkVersion(metadata: ReadonlyMap<string, string>, file: string): void {
  const version = metadata.get("skint.format");
  if (version === undefined) refuse("format.header", file, "this is a safetensors file, but not a Skint pack: skint.format is missing");
  if (version !== VERSION)
    throw new SkintError(
      "format.version",
      `${file} has pack format ${version.slice(0, 40)}, this build reads ${VERSION}; update Skint, or write the pack again with skint compress`,
      { what: file },
    );
  for (const name of METADATA) if (!metadata.has(RESERVED + name)) refuse("format.header", file, `${RESERVED}${name} is missing from __metadata__`, RESERVED + name);
}

/** The digest stands at a fixed place, so that a stranger can blank it without a JSON parser. */
function checkDigestPlace(text: string, file: string): void {
  const digest = text.slice(DIGEST_PREFIX.length, DIGEST_PREFIX.length + DIGEST_LENGTH + 1);
  if (!text.startsWith(DIGEST_PREFIX) || !/^[0-9a-f]{64}"$/.test(digest)) refuse("format.header", file, "the header does not begin with skint.sha256 and its 64 digits");
}

function checkTensor({ name, dtype, shape, bytes }: TensorEntry, file: string): void {
  if (dtype !== "U8" && dtype !== "F32") refuse("format.dtype", file, `tensor ${name} is ${dtype}, a pack holds only U8 and F32`, name);
  if (shape.length !== 1) refuse("format.shape", file, `tensor ${name} has ${shape.length} dimensions, a pack's tensors have one`, name);
  if (bytes === 0 || bytes % ALIGN !== 0) refuse("format.shape", file, `tensor ${name} takes ${bytes} bytes, which is no multiple of ${ALIGN} above 0`, name);
  if (bytes > LIMITS.packTensorBytes) refuse("format.limit", file, `tensor ${name} takes ${bytes} bytes, the limit is ${LIMITS.packTensorBytes}`, name);
}

function addDocument(documents: Map<DocumentName, PackTensor>, entry: TensorEntry, offset: number, file: string): void {
  const { bytes } = entry;
  const name = DOCUMENTS.find((d) => RESERVED + d === entry.name);
  if (name === undefined) refuse("format.header", file, `${entry.name} is no document of pack format ${VERSION}`, entry.name);
  if (entry.dtype !== "U8") refuse("format.dtype", file, `document ${entry.name} is ${entry.dtype}, documents are U8`, entry.name);
  if (bytes > LIMITS.documentBytes[name]) refuse("format.limit", file, `document ${entry.name} takes ${bytes} bytes, the limit is ${LIMITS.documentBytes[name]}`, entry.name);
  documents.set(name, { name: entry.name, dtype: "U8", offset, bytes, parts: [bytes] });
}

/** A tensor whose parts are still being joined. */
interface Joining extends PackTensor {
  bytes: number;
  readonly parts: number[];
  readonly split: boolean;
}

/** Adds a tensor, or joins part `name#i` to the parts before it. */
function addTensor(tensors: Map<string, Joining>, entry: TensorEntry, offset: number, file: string): void {
  const { bytes } = entry;
  const dtype = entry.dtype as PackTensor["dtype"];
  const part = /^([^#]+)#(0|[1-9][0-9]*)$/.exec(entry.name);
  if (part === null && (entry.name === "" || entry.name.includes("#"))) refuse("format.header", file, "a tensor's name is empty or holds # without a part number", entry.name);
  const name = part === null ? entry.name : part[1];
  const before = tensors.get(name);
  if (part === null || part[2] === "0") {
    if (before !== undefined) refuse("format.duplicate", file, `tensor ${name} stands whole and in parts`, name);
    tensors.set(name, { name, dtype, offset, bytes, parts: [bytes], split: part !== null });
    return;
  }
  const follows = before?.split && before.parts.length === Number(part[2]) && before.offset + before.bytes === offset && before.dtype === dtype;
  if (!follows) refuse("format.header", file, `part ${entry.name} does not follow the part before it`, entry.name);
  before.bytes += bytes;
  before.parts.push(bytes);
}
