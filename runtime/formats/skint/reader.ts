// Opens a pack: checks everything but the digest, hands out its directory and its documents as text. Does not interpret the graph.
// Loading the weights, and checking the digest, is load.ts.
import { SkintError } from "../../errors.ts";
import type { Source } from "../../io/source.ts";
import { decodeUtf8 } from "../../io/utf8.ts";
import { readHeader } from "../safetensors/header.ts";
import { checkPack, DIGEST_LENGTH, DIGEST_PREFIX, type DocumentName, type MetadataName, type PackDirectory, RESERVED, tensorOf } from "./layout.ts";
import { type LoadOptions, readInto } from "./load.ts";

export interface Pack extends PackDirectory {
  readonly name: string;
  /** Bytes of the file, and of its front up to the data section. */
  readonly size: number;
  readonly dataOffset: number;
  /** `skint.<name>` of the metadata. */
  meta(name: MetadataName): string;
  /** Text of a document without its padding; undefined when the pack has none of that name. Checked as UTF-8, not parsed. */
  document(name: DocumentName): Promise<string | undefined>;
  /** Fills `into` from byte `offset` of a tensor. */
  readBytes(tensor: string, offset: number, into: Uint8Array): Promise<void>;
  /** Fills `into` from byte `offset` of the file. */
  readFile(offset: number, into: Uint8Array): Promise<void>;
  /** The header as it was hashed: digest blanked, no padding. */
  hashedHeader(): Uint8Array;
  close(): Promise<void>;
}

/** Opens and checks a pack; `verify` also reads the whole file once and compares the digest. The pack owns the source: `close` closes it. */
export async function openPack(source: Source, verify?: LoadOptions): Promise<Pack> {
  const header = await readHeader(source);
  const directory = checkPack(header, source.name);
  const pack: Pack = {
    ...directory,
    name: source.name,
    size: source.size,
    dataOffset: header.dataOffset,
    meta: (name) => header.metadata.get(RESERVED + name) as string,
    async document(name) {
      const place = directory.documents.get(name);
      if (place === undefined) return undefined;
      const bytes = new Uint8Array(place.bytes);
      await source.read(place.offset, bytes);
      let end = bytes.length;
      while (end > 0 && bytes[end - 1] === 32) end--;
      return decodeUtf8(bytes.subarray(0, end), place.name);
    },
    async readBytes(name, offset, into) {
      const tensor = tensorOf(directory, name, source.name);
      if (!(offset >= 0 && offset + into.length <= tensor.bytes))
        throw new SkintError("usage", `bytes ${offset} … ${offset + into.length} of tensor ${name} were asked for, it has ${tensor.bytes}`, { what: name });
      await source.read(tensor.offset + offset, into);
    },
    readFile: (offset, into) => source.read(offset, into),
    hashedHeader() {
      const front = DIGEST_PREFIX.length;
      const text = header.text.slice(0, front) + "0".repeat(DIGEST_LENGTH) + header.text.slice(front + DIGEST_LENGTH);
      return new TextEncoder().encode(text.trimEnd());
    },
    close: () => source.close(),
  };
  if (verify !== undefined) await readInto(pack, new Map(), verify);
  return pack;
}
