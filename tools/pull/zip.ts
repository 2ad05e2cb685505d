// Reads a zip (a wheel) through its directory. Names are only compared, never used as paths. A file's own header must agree with the directory,
// its length and CRC-32 are checked while it is unpacked. No zip64: a package index takes no wheel that needs it. Writes nothing.
import { Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { type ErrorCode, SkintError } from "../../runtime/errors.ts";
import type { Source } from "../../runtime/io/source.ts";
import { LIMITS } from "../../runtime/limits.ts";
import type { Receiver } from "./tar.ts";

export interface ZipEntry {
  readonly name: string;
  /** Unpacked. */
  readonly bytes: number;
  readonly packed: number;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  /** Of its own header. */
  readonly offset: number;
}

const END = 0x06054b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const PIECE = 1 << 20;
const STORED = 0;
const DEFLATED = 8;

function failing(source: Source) {
  return (why: string, code: ErrorCode = "format.header"): never => {
    throw new SkintError(code, `${source.name} is no zip that can be read: ${why}; fetch it again`, { what: source.name });
  };
}

async function bytesAt(source: Source, offset: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  await source.read(offset, bytes);
  return new DataView(bytes.buffer);
}

const nameOf = (view: DataView, at: number, length: number) => new TextDecoder().decode(new Uint8Array(view.buffer, at, length));

/** The files of a zip by name. Throws `format.header`, `format.limit`, `format.duplicate`. */
export async function readZip(source: Source): Promise<Map<string, ZipEntry>> {
  const fail = failing(source);
  const tail = Math.min(source.size, END_BYTES + 65_535);
  const view = await bytesAt(source, source.size - tail, tail);
  let end = tail - END_BYTES;
  while (end >= 0 && !(view.getUint32(end, true) === END && end + END_BYTES + view.getUint16(end + 20, true) === tail)) end--;
  if (end < 0) fail("its directory is missing");
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const offset = view.getUint32(end + 16, true);
  if (count === 0xffff || offset === 0xffff_ffff) fail("it needs zip64, which is not supported", "format.limit");
  if (count > LIMITS.archiveEntries || size > LIMITS.archiveDirectoryBytes) fail(`its directory of ${count} files has ${size} bytes`, "format.limit");
  if (offset + size > source.size - tail + end) fail("its directory is not where it should be");
  return entries(await bytesAt(source, offset, size), count, offset, fail);
}

function entries(view: DataView, count: number, directory: number, fail: ReturnType<typeof failing>): Map<string, ZipEntry> {
  const found = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== DIRECTORY) fail("its directory is malformed");
    const [nameBytes, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + 46 + nameBytes + extra + comment;
    if (next > view.byteLength) fail("its directory is malformed");
    const entry: ZipEntry = {
      name: nameOf(view, at + 46, nameBytes),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    if (entry.offset + 30 + entry.packed > directory) fail(`${JSON.stringify(entry.name)} does not lie before the directory`);
    if (found.has(entry.name)) fail(`${JSON.stringify(entry.name)} stands in it twice`, "format.duplicate");
    if (!entry.name.endsWith("/")) found.set(entry.name, entry);
    at = next;
  }
  return found;
}

/** Where the packed bytes of a file begin. */
async function dataOffset(source: Source, entry: ZipEntry): Promise<number> {
  const fail = failing(source);
  const what = JSON.stringify(entry.name);
  const head = await bytesAt(source, entry.offset, 30);
  const nameBytes = head.getUint16(26, true);
  const data = entry.offset + 30 + nameBytes + head.getUint16(28, true);
  if (head.getUint32(0, true) !== LOCAL || data + entry.packed > source.size) return fail(`${what} is not where the directory says`);
  const name = await bytesAt(source, entry.offset + 30, nameBytes);
  if (nameOf(name, 0, nameBytes) !== entry.name) fail(`${what} is called otherwise in its own header`);
  if (entry.flags & 1) fail(`${what} is encrypted`);
  if (entry.method !== STORED && entry.method !== DEFLATED) fail(`${what} is packed in a way that is not known (${entry.method})`);
  if (entry.method === STORED && entry.packed !== entry.bytes) fail(`${what} has two lengths`);
  return data;
}

async function* packed(source: Source, from: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, length - at));
    await source.read(from + at, piece);
    yield piece;
  }
}

/** Unpacks one file into `to`. Throws `format.header`, `format.truncated`, `format.hash`. */
export async function unzip(source: Source, entry: ZipEntry, to: Receiver): Promise<void> {
  const fail = failing(source);
  const what = JSON.stringify(entry.name);
  const data = packed(source, await dataOffset(source, entry), entry.packed);
  let bytes = 0;
  let crc = 0;
  const take = async (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > entry.bytes) fail(`${what} unpacks to more than the ${entry.bytes} bytes it says`);
    crc = crc32(piece, crc);
    await to(piece);
  };
  if (entry.method === STORED) for await (const piece of data) await take(piece);
  else {
    const inflate = Readable.from(data, { objectMode: false }).pipe(createInflateRaw());
    try {
      for await (const piece of inflate) await take(piece as Uint8Array);
    } catch (e) {
      if (/^Z_/.test((e as { code?: string }).code ?? "")) fail(`${what} does not unpack`);
      throw e;
    } finally {
      inflate.destroy();
    }
  }
  if (bytes !== entry.bytes) fail(`${what} unpacks to ${bytes} of ${entry.bytes} bytes`, "format.truncated");
  if (crc !== entry.crc) fail(`${what} has a wrong checksum`, "format.hash");
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 as zip means it, continued from `crc`. */
function crc32(bytes: Uint8Array, crc: number): number {
  let c = ~crc;
  for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}
