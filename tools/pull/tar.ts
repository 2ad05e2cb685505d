// Reads a tar (ustar, with pax and GNU long names) as it streams by. Names are only compared, never used as paths; links are never followed; every
// size is checked before it is waited for. Writes nothing.
import { type ErrorCode, SkintError } from "../../runtime/errors.ts";
import { LIMITS } from "../../runtime/limits.ts";

/** Takes the pieces of one file. */
export type Receiver = (piece: Uint8Array) => Promise<void>;

const BLOCK = 512;
const FILE = new Set(["0", "\0", "7"]);
const EMPTY = new Set(["1", "2", "3", "4", "5", "6"]);
const LONG_NAME = "L";
const LONG_LINK = "K";
const PAX = "x";
const PAX_GLOBAL = "g";

type Fail = (what: string, code?: ErrorCode) => never;

/** Bytes of a stream, taken in the amounts that are wanted. */
class Bytes {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly fail: Fail;
  private rest: Uint8Array = new Uint8Array(0);
  /** Bytes taken so far. */
  at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, fail: Fail) {
    this.chunks = chunks[Symbol.asyncIterator]();
    this.fail = fail;
  }

  /** At most `most` bytes, at least one; undefined at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.rest.length === 0) {
      const { done, value } = await this.chunks.next();
      if (done) return undefined;
      this.rest = value;
    }
    const piece = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(piece.length);
    this.at += piece.length;
    if (this.at > LIMITS.archiveBytes) this.fail(`it unpacks to more than ${LIMITS.archiveBytes} bytes`, "format.limit");
    return piece;
  }

  async pass(bytes: number, to?: Receiver): Promise<void> {
    for (let left = bytes; left > 0; ) {
      const piece = await this.some(left);
      if (!piece) return this.fail(`it ends ${left} bytes early`, "format.truncated");
      left -= piece.length;
      if (to) await to(piece);
    }
  }

  async exactly(bytes: number): Promise<Uint8Array> {
    const all = new Uint8Array(bytes);
    let at = 0;
    await this.pass(bytes, async (piece) => {
      all.set(piece, at);
      at += piece.length;
    });
    return all;
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }
}

const latin = (b: Uint8Array) => String.fromCharCode(...b);
const utf8 = (b: Uint8Array) => new TextDecoder().decode(b);

function cString(b: Uint8Array): string {
  const end = b.indexOf(0);
  return utf8(end < 0 ? b : b.subarray(0, end));
}

function parseSize(b: Uint8Array, fail: Fail): number {
  if (b[0] & 0x80) {
    // Base 256, for sizes that do not fit eleven octal digits.
    const value = b.subarray(1).reduce((n, byte) => n * 256 + byte, b[0] & 0x7f);
    return Number.isSafeInteger(value) ? value : fail("a size is beyond 2^53", "format.limit");
  }
  const digits = latin(b)
    .replace(/[ \0]+$/, "")
    .trimStart();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : fail("a size is no number");
}

function checkSum(b: Uint8Array, fail: Fail): void {
  const stated = latin(b.subarray(148, 156))
    .replace(/[ \0]+$/, "")
    .trimStart();
  const sum = b.reduce((a, v, i) => a + (i >= 148 && i < 156 ? 32 : v), 0);
  if (!/^[0-7]+$/.test(stated) || Number.parseInt(stated, 8) !== sum) fail("a header has a wrong checksum");
}

/** `path` and `size` of a pax header. */
function parsePax(b: Uint8Array, fail: Fail): { path?: string; size?: number } {
  const out: { path?: string; size?: number } = {};
  for (let at = 0; at < b.length; ) {
    const space = b.indexOf(32, at);
    const digits = latin(b.subarray(at, Math.min(space < 0 ? at : space, at + 10)));
    const end = at + Number(digits);
    if (!/^\d+$/.test(digits) || end > b.length || end <= space || b[end - 1] !== 10) return fail("an extended header is malformed");
    const record = utf8(b.subarray(space + 1, end - 1));
    const eq = record.indexOf("=");
    const value = record.slice(eq + 1);
    if (record.startsWith("path=")) out.path = value;
    if (record.startsWith("size=")) out.size = /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : fail("a size is no number");
    at = end;
  }
  return out;
}

/**
 * Walks a tar. `onFile` is called for each regular file and may return a receiver for its bytes; the name is as it stands in the archive.
 * Throws `format.header`, `format.truncated`, `format.limit`.
 */
export async function readTar(what: string, chunks: AsyncIterable<Uint8Array>, onFile: (name: string, bytes: number) => Receiver | undefined): Promise<void> {
  const fail: Fail = (why, code = "format.header") => {
    throw new SkintError(code, `${what} is no archive that can be read: ${why}; fetch it again`, { what, offset: bytes.at });
  };
  const bytes: Bytes = new Bytes(chunks, fail);
  let long: { path?: string; size?: number } = {};
  try {
    for (let entries = 0; ; entries++) {
      if (entries > LIMITS.archiveEntries) fail(`it has more than ${LIMITS.archiveEntries} entries`, "format.limit");
      const header = await bytes.exactly(BLOCK);
      if (header.every((v) => v === 0)) return;
      checkSum(header, fail);
      const type = latin(header.subarray(156, 157));
      const own = parseSize(header.subarray(124, 136), fail);
      const size = type === PAX || type === PAX_GLOBAL || type === LONG_NAME || type === LONG_LINK ? own : (long.size ?? own);
      if (EMPTY.has(type) && size !== 0) fail("a link or folder has content");
      const padding = (BLOCK - (size % BLOCK)) % BLOCK;
      if (type === PAX || type === LONG_NAME) {
        if (size > LIMITS.archiveHeaderBytes) fail(`an extended header has ${size} bytes`, "format.limit");
        const content = await bytes.exactly(size);
        long = { ...long, ...(type === PAX ? parsePax(content, fail) : { path: cString(content) }) };
        await bytes.pass(padding);
        continue;
      }
      const prefix = latin(header.subarray(257, 262)) === "ustar" && header[262] === 0 ? cString(header.subarray(345, 500)) : "";
      const name = long.path ?? (prefix ? `${prefix}/` : "") + cString(header.subarray(0, 100));
      await bytes.pass(size, FILE.has(type) ? onFile(name, size) : undefined);
      await bytes.pass(padding);
      if (type !== LONG_LINK && type !== PAX_GLOBAL) long = {};
    }
  } finally {
    await bytes.close();
  }
}
