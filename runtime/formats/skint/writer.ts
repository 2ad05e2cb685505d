// Writes a pack as a stream: documents known at the start, then tensors in declared order, then documents reserved for the end (golden outputs
// are known only when all weights are). Memory: the header and one chunk. The digest is written into the header before the file becomes visible.
import { SkintError } from "../../errors.ts";
import type { Hasher } from "../../io/hash.ts";
import type { Sink } from "../../io/source.ts";
import { LIMITS } from "../../limits.ts";
import { roundup } from "../../num/int.ts";
import { parseHeader } from "../safetensors/header.ts";
import { createSafetensors, layoutSafetensors, type SafetensorsWriter, type TensorDeclaration } from "../safetensors/writer.ts";
import { ALIGN, checkPack, DIGEST_LENGTH, DIGEST_OFFSET, DOCUMENTS, type DocumentName, type MetadataName, RESERVED, VERSION } from "./layout.ts";

export interface PackTensorSpec {
  readonly name: string;
  readonly dtype: "U8" | "F32";
  /** True length; the file pads it to a multiple of 64. */
  readonly bytes: number;
  /** Bytes of a block of rows: a tensor above 128 MiB is split between blocks (default 64). */
  readonly granularity?: number;
}

/** JSON text, or the bytes to keep free for one that is given to `document` behind the last tensor. */
export type DocumentSpec = string | { readonly reserve: number };

export interface PackSpec {
  readonly metadata: Readonly<Record<Exclude<MetadataName, "format">, string>>;
  readonly documents: Readonly<Record<"graph" | "card" | "recipe", DocumentSpec> & Partial<Record<DocumentName, DocumentSpec>>>;
  readonly tensors: readonly PackTensorSpec[];
}

export interface PackWriter {
  /** Next bytes of tensor `name`: chunks of any length, tensors in declared order. */
  write(name: string, chunk: Uint8Array): Promise<void>;
  /** Text of a reserved document: behind the last tensor, in the order of `DOCUMENTS`. */
  document(name: DocumentName, text: string): Promise<void>;
  /** Checks that all came, writes the digest, makes the file visible. */
  finish(): Promise<void>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

/** One stored tensor and how many of its bytes are content; the rest is padding. */
interface Piece {
  readonly name: string;
  readonly dtype: "U8" | "F32";
  readonly content: number;
  readonly stored: number;
}

interface Stream {
  readonly pieces: readonly Piece[];
  readonly padding: number;
}

/** Starts a pack; sink and hasher are the writer's from here on. */
export async function createPack(sink: Sink, hasher: Hasher, spec: PackSpec): Promise<PackWriter> {
  try {
    const streams = layoutStreams(spec);
    const declared: TensorDeclaration[] = [];
    for (const { pieces } of streams.values()) for (const { name, dtype, stored } of pieces) declared.push({ name, dtype, shape: [dtype === "F32" ? stored / 4 : stored] });
    const layout = layoutSafetensors(declared, metadataOf(spec), ALIGN);
    const text = new TextDecoder().decode(layout.head.subarray(8));
    checkPack(parseHeader(text, layout.head.length, layout.fileBytes, "the pack to be written"), "the pack to be written");
    hasher.update(layout.head.subarray(8, 8 + layout.textBytes));
    const pack = packWriter(sink, hasher, streams, await createSafetensors(sink, layout));
    for (const name of DOCUMENTS) {
      const document = spec.documents[name];
      if (typeof document === "string") await pack.document(name, document);
    }
    return pack;
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

function metadataOf({ metadata }: PackSpec): Map<string, string> {
  return new Map([
    ["skint.sha256", "0".repeat(DIGEST_LENGTH)],
    ["skint.format", VERSION],
    ["skint.architecture", metadata.architecture],
    ["skint.recipe", metadata.recipe],
    ["skint.licence", metadata.licence],
    ["skint.provenance", metadata.provenance],
  ]);
}

/** Everything the data section holds, in file order. */
function layoutStreams({ documents, tensors }: PackSpec): Map<string, Stream> {
  const streams = new Map<string, Stream>();
  const addDocument = (name: DocumentName, bytes: number) => {
    const stored = roundup(Math.max(bytes, 1), ALIGN);
    streams.set(RESERVED + name, { pieces: [{ name: RESERVED + name, dtype: "U8", content: stored, stored }], padding: 32 });
  };
  for (const name of DOCUMENTS) {
    const document = documents[name];
    if (typeof document === "string") addDocument(name, new TextEncoder().encode(document).length);
  }
  for (const tensor of tensors) {
    if (streams.has(tensor.name)) throw new SkintError("format.duplicate", `tensor ${tensor.name} is declared twice; give it another name`, { what: tensor.name });
    if (tensor.name.startsWith(RESERVED))
      throw new SkintError("usage", `tensor ${tensor.name}: names with ${RESERVED} belong to the format; give it another name`, { what: tensor.name });
    streams.set(tensor.name, { pieces: split(tensor), padding: 0 });
  }
  for (const name of DOCUMENTS) {
    const document = documents[name];
    if (typeof document === "object") addDocument(name, document.reserve);
  }
  return streams;
}

/** One piece, or pieces of at most 128 MiB whose borders are borders of blocks and of 64 bytes. */
function split({ name, dtype, bytes, granularity = ALIGN }: PackTensorSpec): Piece[] {
  const stored = roundup(bytes, ALIGN);
  if (stored <= LIMITS.packTensorBytes) return [{ name, dtype, content: bytes, stored }];
  let step = granularity;
  while (step % ALIGN !== 0) step += granularity;
  const most = Math.floor(LIMITS.packTensorBytes / step) * step;
  if (most === 0)
    throw new SkintError(
      "format.limit",
      `tensor ${name} cannot be split: a block of rows takes ${granularity} bytes, the limit is ${LIMITS.packTensorBytes}; use a scheme with fewer bits`,
      { what: name },
    );
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes; at += most) {
    const content = Math.min(most, bytes - at);
    pieces.push({ name: `${name}#${pieces.length}`, dtype, content, stored: roundup(content, ALIGN) });
  }
  return pieces;
}

function packWriter(sink: Sink, hasher: Hasher, streams: Map<string, Stream>, file: SafetensorsWriter): PackWriter {
  let current = "";
  let piece = 0;
  let at = 0;
  /** Writes content; behind the last byte of a piece its padding follows. */
  const write = async (name: string, chunk: Uint8Array) => {
    const stream = streams.get(name);
    if (stream === undefined) throw new SkintError("usage", `tensor ${name} was written but not declared; declare it in the pack's tensors`, { what: name });
    if (name !== current) [current, piece, at] = [name, 0, 0];
    for (let from = 0; from < chunk.length; ) {
      const target = stream.pieces[piece];
      if (target === undefined) throw new SkintError("usage", `tensor ${name} got ${chunk.length - from} bytes more than declared`, { what: name });
      const part = chunk.subarray(from, from + target.content - at);
      await emit(target.name, part);
      from += part.length;
      at += part.length;
      if (at < target.content) return;
      if (target.stored > target.content) await emit(target.name, new Uint8Array(target.stored - target.content).fill(stream.padding));
      [piece, at] = [piece + 1, 0];
    }
  };
  const emit = async (name: string, bytes: Uint8Array) => {
    await file.write(name, bytes);
    hasher.update(bytes);
  };
  return {
    write,
    async document(name, text) {
      const room = streams.get(RESERVED + name)?.pieces[0].stored ?? 0;
      const bytes = new TextEncoder().encode(text);
      if (bytes.length > room)
        throw new SkintError("format.limit", `document ${name} takes ${bytes.length} bytes, ${room} were declared; declare a larger reserve`, { what: name });
      const padded = new Uint8Array(room).fill(32);
      padded.set(bytes);
      await write(RESERVED + name, padded);
    },
    async finish() {
      await file.complete();
      await sink.write(DIGEST_OFFSET, new TextEncoder().encode(hasher.digest()));
      await sink.commit();
    },
    abort: () => file.abort(),
  };
}
